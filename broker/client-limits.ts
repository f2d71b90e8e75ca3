// The limits that a client can meet: what each is called in metrics and logs, what the client sees, and which option raises it.
// docs/reference/mqtt-limits.md lists the same (tested).
import type { Duplex } from 'node:stream';
import { brokerErrors } from './errors.ts';
import type { BrokerLimits } from './limits.ts';
import type { SkerryError } from '../src/kit/errors.ts';

interface ClientLimit {
  readonly limit: keyof BrokerLimits;
  readonly option?: string;
  /** The return code of the CONNACK that the client gets (MQTT 3.1.1, 3.2.2.3); absent: its connection is closed. */
  readonly connack?: 2 | 3;
  /** What stands against the client. */
  readonly says: string;
}

export const CLIENT_LIMITS = {
  connections: {
    limit: 'connections',
    option: '--mqtt-connections',
    connack: 3,
    says: 'as many clients are connected as may be',
  },
  'address-connections': {
    limit: 'addressConnections',
    option: '--mqtt-address-connections',
    connack: 3,
    says: 'as many clients are connected from this address as may be',
  },
  sessions: {
    limit: 'sessions',
    option: '--mqtt-sessions',
    connack: 3,
    says: 'as many persistent sessions are kept as may be',
  },
  'will-bytes': {
    limit: 'willBytes',
    option: '--mqtt-will-bytes',
    connack: 3,
    says: 'the last wills of all clients leave no room for this one',
  },
  'client-id-bytes': { limit: 'clientIdBytes', connack: 2, says: 'the client id is too long' },
  keepalive: {
    limit: 'keepalive',
    option: '--mqtt-keepalive',
    connack: 2,
    says: 'the client asks for a longer keepalive time than it may have, or for none',
  },
  unannounced: { limit: 'unannounced', says: 'too many connections are open that have not said CONNECT' },
  'connect-timeout': {
    limit: 'connectTimeout',
    option: '--mqtt-connect-timeout',
    says: 'no CONNECT came in time',
  },
  packet: { limit: 'packet', option: '--mqtt-packet', says: 'a packet is too large' },
  filters: { limit: 'filters', says: 'a SUBSCRIBE or UNSUBSCRIBE names too many topic filters; several may name them' },
  inflight: { limit: 'inflight', option: '--mqtt-inflight', says: 'too many QoS 2 publications are not released' },
  backlog: { limit: 'backlog', option: '--mqtt-backlog', says: 'too much waits for a client that does not keep up' },
  unfinished: {
    limit: 'unfinishedBytes',
    says: 'too much is held of packets that have not ended, and this client began the first of them',
  },
  stalled: {
    limit: 'stalledAfter',
    option: '--mqtt-stalled-after',
    says: 'the client takes nothing of what waits for it, or does not go on with a packet that it began',
  },
} as const satisfies Readonly<Record<string, ClientLimit>>;

export type ClientLimitName = keyof typeof CLIENT_LIMITS;

/** What ends the connection of a client that has met a limit. `client`: its id, where Aedes does not know it yet. */
export function limitReached(name: ClientLimitName, limits: Partial<BrokerLimits>, client?: string): SkerryError {
  const { limit, option, says }: ClientLimit = CLIENT_LIMITS[name];
  return brokerErrors.BROKER_LIMIT_REACHED({ says, reason: name, limit: limits[limit] ?? 'none', option, client });
}

/** Asked before each delivery. A persistent session keeps what its cut connection misses. */
export function guardBacklog(connection: Duplex, limits: Pick<BrokerLimits, 'backlog'>): void {
  if (connection.writableLength > limits.backlog && !connection.destroyed)
    connection.destroy(limitReached('backlog', limits));
}
