import { mebibytes, seconds, type Bytes, type Duration } from '../src/kit/units.ts';

/** What one client, or all of them together, may take of this process. Every queue of the broker ends at one of these. */
export interface BrokerLimits {
  /** The largest packet that is read; a larger one is never buffered, its sender is disconnected. */
  readonly packet: Bytes;
  readonly connections: number;
  /** From the socket's opening to the CONNECT packet. */
  readonly connectTimeout: Duration;
  /** Bytes waiting for one subscriber that reads too slowly; past it, the subscriber is disconnected. */
  readonly backlog: Bytes;
  /** Messages waiting for one persistent session. */
  readonly sessionMessages: number;
  /** Bytes waiting for all persistent sessions together. */
  readonly sessionBytes: Bytes;
  /** Topics with a retained message, and their bytes. Those under `$skerry/` are ours and not counted. */
  readonly retainedTopics: number;
  readonly retainedBytes: Bytes;
}

export const DEFAULT_LIMITS: BrokerLimits = Object.freeze({
  packet: mebibytes(1),
  connections: 10_000,
  connectTimeout: seconds(10),
  backlog: mebibytes(4),
  sessionMessages: 10_000,
  sessionBytes: mebibytes(16),
  retainedTopics: 10_000,
  retainedBytes: mebibytes(8),
});
