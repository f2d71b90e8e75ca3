// Everything that the broker keeps of its clients for one start: built here, so that the parts share one shelf and one way to
// storage.
import type { Deadline } from '../../src/kit/deadline.ts';
import type { Logger } from '../../src/kit/logger.ts';
import type { Audience } from '../audience.ts';
import type { BrokerLimits } from '../limits.ts';
import { IncomingPackets } from './incoming-packets.ts';
import { MessageShelf } from './message-shelf.ts';
import { OutgoingQueues } from './outgoing-queues.ts';
import { RetainedMessages } from './retained-messages.ts';
import { RoutingJournal } from './routing-journal.ts';
import type { SessionStatistics } from './statistics.ts';
import { SessionPersistence } from './session-persistence.ts';
import type { SessionStorage } from './session-storage.ts';
import { Wills } from './wills.ts';
import { WriteBehind } from './write-behind.ts';

export interface Sessions {
  readonly persistence: SessionPersistence;
  readonly journal: RoutingJournal;
  readonly queues: OutgoingQueues;
  readonly incoming: IncomingPackets;
  readonly statistics: SessionStatistics;
  /** Writes what is left. */
  close(deadline: Deadline): Promise<void>;
}

export function createSessions(
  limits: BrokerLimits,
  tools: { readonly audience: Audience; readonly storage: SessionStorage; readonly logger: Logger },
): Sessions {
  const { audience, storage, logger } = tools;
  const writes = new WriteBehind(storage, logger);
  const shelf = new MessageShelf(writes);
  const shared = { audience, storage, logger, writes, shelf };
  const queues = new OutgoingQueues(limits, shared);
  const incoming = new IncomingPackets(shared);
  const journal = new RoutingJournal({ ...shared, incoming });
  const retained = new RetainedMessages(limits, shared);
  const wills = new Wills(shared);
  const persistence = new SessionPersistence({ ...shared, journal, queues, incoming, retained, wills });
  return {
    persistence,
    journal,
    queues,
    incoming,
    get statistics() {
      return { ...NOT_COUNTED_YET, ...queues.statistics, ...retained.statistics };
    },
    close: (deadline) => writes.close(deadline),
  };
}

const NOT_COUNTED_YET = {
  sessions: 0,
  sessionsAway: 0,
  subscriptions: 0,
  refusedSubscriptions: 0,
  refusedSessions: 0,
  expiredSessions: 0,
  recordsSetAside: 0,
};
