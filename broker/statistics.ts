import type { Endings } from './endings.ts';
import type { Engine } from './engine.ts';
import { openPublications } from './receive-window.ts';
import type { Traffic } from './traffic.ts';

/** What the broker counts; counts of what happened are since the process began. */
export interface BrokerStatistics {
  readonly clients: number;
  /** Why connections were not let in, and why those ended that were. */
  readonly refused: Endings['counts']['refused'];
  readonly ended: Endings['counts']['ended'];
  /** Publications of clients, by QoS, and messages to clients. */
  readonly receivedMessages: Traffic['received'];
  readonly sentMessages: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** Bytes that wait for connected clients to take them. */
  readonly backlogBytes: number;
  /** QoS 2 publications that their clients, connected now, have not released. */
  readonly openPublications: number;
}

export function statisticsOf(
  engine: Engine | undefined,
  { endings, traffic }: { readonly endings: Endings; readonly traffic: Traffic },
): BrokerStatistics {
  const { refused, ended } = endings.counts;
  const bytes = engine?.connections.traffic ?? { received: 0, sent: 0 };
  let open = 0;
  for (const client of engine?.roster ?? []) open += openPublications(client);
  return {
    clients: engine?.aedes.connectedClients ?? 0,
    refused,
    ended,
    receivedMessages: traffic.received,
    sentMessages: traffic.sent,
    receivedBytes: bytes.received,
    sentBytes: bytes.sent,
    backlogBytes: engine?.connections.backlog ?? 0,
    openPublications: open,
  };
}
