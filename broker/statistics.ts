import type { Denials } from './access/denials.ts';
import type { Endings } from './endings.ts';
import type { Engine } from './engine.ts';
import { openPublications } from './receive-window.ts';
import type { SessionStatistics } from './sessions/statistics.ts';
import type { Traffic } from './traffic.ts';

/** What the broker counts; counts of what happened are since the process began. */
export interface BrokerStatistics {
  readonly clients: number;
  /** Why connections were not let in, and why those ended that were. */
  readonly refused: Endings['counts']['refused'];
  readonly ended: Endings['counts']['ended'];
  /** What clients asked for and may not do, by action. */
  readonly denied: Denials['counts'];
  /** Publications of clients, by QoS, and messages to clients. */
  readonly receivedMessages: Traffic['received'];
  readonly sentMessages: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** Bytes that wait for connected clients to take them. */
  readonly backlogBytes: number;
  /** Bytes held of packets that have begun and not ended, as the limit counts them. */
  readonly unfinishedBytes: number;
  /** QoS 2 publications that their clients, connected now, have not released. */
  readonly openPublications: number;
  /** `undefined` while the broker does not run. */
  readonly sessions: SessionStatistics | undefined;
}

export function statisticsOf(
  engine: Engine | undefined,
  { endings, traffic, denials }: { readonly endings: Endings; readonly traffic: Traffic; readonly denials: Denials },
): BrokerStatistics {
  const counted = {
    ...endings.counts,
    denied: denials.counts,
    receivedMessages: traffic.received,
    sentMessages: traffic.sent,
  };
  if (engine === undefined) return { ...counted, ...NOTHING };
  const { connections, roster, aedes, sessions } = engine;
  const { received, sent } = connections.traffic;
  let open = 0;
  for (const client of roster) open += openPublications(client);
  return {
    ...counted,
    clients: aedes.connectedClients,
    receivedBytes: received,
    sentBytes: sent,
    backlogBytes: connections.backlog,
    unfinishedBytes: connections.unfinished.bytes,
    openPublications: open,
    sessions: sessions.statistics,
  };
}

const NOTHING = {
  clients: 0,
  receivedBytes: 0,
  sentBytes: 0,
  backlogBytes: 0,
  unfinishedBytes: 0,
  openPublications: 0,
  sessions: undefined,
};
