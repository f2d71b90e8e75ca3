import { bytes, days, mebibytes, seconds, type Bytes, type Duration } from '../src/kit/units.ts';

/** What one client, or all of them together, may take of this process. Every queue of the broker ends at one of these. */
export interface BrokerLimits {
  /** The largest packet that is read; a larger one is never buffered, its sender is disconnected. */
  readonly packet: Bytes;
  /** Clients at once. */
  readonly connections: number;
  /** Of them, from one address. Not counted for loopback, which all programs of this machine share. */
  readonly addressConnections: number;
  /** Open connections that have not said CONNECT; past it, the one that has been silent longest gives way. */
  readonly unannounced: number;
  /** From the socket's opening to the CONNECT packet, a WebSocket's handshake included. */
  readonly connectTimeout: Duration;
  /** Bytes of a client id: it is part of a key wherever something is kept for the client. */
  readonly clientIdBytes: Bytes;
  /** The longest keepalive time that a client may ask for; none at all is longer still. `undefined`: any, and none. */
  readonly keepalive: Duration | undefined;
  /** Topic filters in one SUBSCRIBE or UNSUBSCRIBE; as many as a client may have subscriptions, where those are more. */
  readonly filters: number;
  /** QoS 2 publications of one client that it has not released (PUBREL). */
  readonly inflight: number;
  /** Bytes waiting for one subscriber that reads too slowly; past it, the subscriber is disconnected. */
  readonly backlog: Bytes;
  /** Of packets that have begun and not ended, of all clients together; four of the largest, where those are more. Each chunk of one counts 1 KiB beside its bytes. */
  readonly unfinishedBytes: Bytes;
  /** How long a client may take nothing of what waits for it, or send nothing more of a packet that it began. */
  readonly stalledAfter: Duration;
  /** Messages and bytes waiting for one persistent session; past either, its oldest message is dropped. */
  readonly sessionMessages: number;
  readonly sessionBytes: Bytes;
  /** The same for all of them together; past either, the oldest message of the session that holds most is dropped. */
  readonly totalSessionMessages: number;
  readonly totalSessionBytes: Bytes;
  /** Persistent sessions; past it, a client that asks for a new one is refused. */
  readonly sessions: number;
  /** For how long a client may be away before its session ends, with its subscriptions and what waits for it. */
  readonly sessionExpiry: Duration;
  /** Subscriptions of one client, and of all of them together; past either, a filter is refused in the SUBACK. A long filter counts once for each KiB. */
  readonly clientSubscriptions: number;
  readonly totalSubscriptions: number;
  /** Topics with a retained message, and their bytes. Those under `$skerry/` are ours and not counted. */
  readonly retainedTopics: number;
  readonly retainedBytes: Bytes;
  /** Last wills of all clients together, those included that are late; past it, a client that leaves another is refused. */
  readonly willBytes: Bytes;
}

export const DEFAULT_LIMITS: BrokerLimits = Object.freeze({
  packet: mebibytes(1),
  connections: 10_000,
  addressConnections: 1_000,
  unannounced: 1_000,
  connectTimeout: seconds(10),
  clientIdBytes: bytes(1_024),
  keepalive: undefined,
  filters: 2_000,
  inflight: 1_000,
  backlog: mebibytes(4),
  unfinishedBytes: mebibytes(32),
  stalledAfter: seconds(10),
  sessionMessages: 10_000,
  sessionBytes: mebibytes(4),
  totalSessionMessages: 50_000,
  totalSessionBytes: mebibytes(16),
  sessions: 1_000,
  sessionExpiry: days(30),
  clientSubscriptions: 1_000,
  totalSubscriptions: 20_000,
  retainedTopics: 10_000,
  retainedBytes: mebibytes(8),
  willBytes: mebibytes(8),
});
