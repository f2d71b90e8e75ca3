// Everything that the broker keeps of its clients for one start: built here, so that the parts share one shelf and one way to
// storage.
import { systemClock, type Clock } from '../../src/kit/clock.ts';
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
import { SessionClock } from './session-clock.ts';
import { SessionDirectory } from './session-directory.ts';
import { SessionExpiry } from './session-expiry.ts';
import { SessionPersistence } from './session-persistence.ts';
import type { SessionRecords } from './session-records.ts';
import type { SessionStorage } from './session-storage.ts';
import { SetAsideRecords } from './set-aside-records.ts';
import { SubscriptionLimits } from './subscription-limits.ts';
import { Wills } from './wills.ts';
import { WriteBehind } from './write-behind.ts';

export interface Sessions {
  readonly persistence: SessionPersistence;
  readonly journal: RoutingJournal;
  readonly queues: OutgoingQueues;
  readonly incoming: IncomingPackets;
  readonly wills: Wills;
  readonly directory: SessionDirectory;
  readonly subscriptions: SubscriptionLimits;
  readonly statistics: SessionStatistics;
  /** Ends the sessions whose clients have been away for too long. To be called every so often. */
  sweep(): Promise<void>;
  /** Writes what is left. */
  close(deadline: Deadline): Promise<void>;
}

export interface SessionsTools {
  readonly audience: Audience;
  readonly storage: SessionStorage;
  /** Default: the system's. */
  readonly clock?: Clock;
  readonly logger: Logger;
}

export function createSessions(limits: BrokerLimits, tools: SessionsTools): Sessions {
  const { audience, storage, logger, clock = systemClock } = tools;
  const writes = new WriteBehind(storage, logger);
  const shelf = new MessageShelf(writes);
  const shared = { audience, storage, logger, writes, shelf };
  const queues = new OutgoingQueues(limits, shared);
  const incoming = new IncomingPackets(shared);
  const journal = new RoutingJournal({ ...shared, incoming });
  const retained = new RetainedMessages(limits, shared);
  const wills = new Wills(limits, shared);
  const subscriptions = new SubscriptionLimits(limits);
  const sessionClock = new SessionClock({ clock, writes });
  const holds = (client: string): boolean =>
    audience.isKeptFor(client) || queues.hasAny(client) || incoming.hasAny(client);
  const directory = new SessionDirectory(limits, { writes, elapsed: () => sessionClock.elapsed(), holds });
  const setAside = new SetAsideRecords(shared);
  const onRead = (records: SessionRecords): void => {
    sessionClock.restore(records.clock);
    setAside.take(records);
  };
  const parts = { journal, queues, incoming, retained, wills, directory, subscriptions, onRead };
  const persistence = new SessionPersistence({ ...shared, ...parts });
  const expiry = new SessionExpiry(limits, { directory, persistence, clock: sessionClock, logger });
  return {
    ...{ persistence, journal, queues, incoming, wills, directory, subscriptions },
    get statistics() {
      return {
        ...queues.statistics,
        ...retained.statistics,
        ...directory.statistics,
        ...subscriptions.statistics,
        ...wills.statistics,
        recordsSetAside: setAside.count,
      };
    },
    sweep: () => expiry.sweep(),
    close: (deadline) => writes.close(deadline),
  };
}
