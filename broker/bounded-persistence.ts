// Sessions and retained messages, in memory: Aedes' own persistence, which knows no limit, behind two quotas. What a limit keeps
// out is said once per session or topic, never dropped silently.
import memory from 'aedes-persistence';
import type { Logger } from '../src/kit/logger.ts';
import type { Audience } from './audience.ts';
import type { BrokerLimits } from './limits.ts';
import { RetainedQuota, SessionQuota } from './quota.ts';

interface StoredPacket {
  readonly topic?: string;
  readonly payload?: string | Buffer;
}

interface Session {
  readonly clientId: string;
}

/** The part of the persistence that grows. Its type declares callbacks; without them it returns promises, as Aedes uses it. */
interface GrowingPersistence {
  storeRetained(packet: Required<StoredPacket>): Promise<void>;
  outgoingEnqueue(session: Session, packet: StoredPacket): Promise<void>;
  outgoingEnqueueCombi(sessions: readonly Session[], packet: StoredPacket): Promise<void>;
  outgoingClearMessageId(client: { readonly id: string }, packet: StoredPacket): Promise<StoredPacket | undefined>;
}

interface KeptSubscription {
  readonly topic: string;
}

/** The part that says who is to be served while away. */
interface SubscriptionPersistence {
  addSubscriptions(client: { readonly id: string }, subscriptions: readonly KeptSubscription[]): Promise<void>;
  removeSubscriptions(client: { readonly id: string }, filters: readonly string[]): Promise<void>;
  cleanSubscriptions(client: { readonly id: string }): Promise<void>;
}

/** The package declares a default export and has none: its module is the function. */
const createMemoryPersistence = memory as unknown as () => GrowingPersistence & SubscriptionPersistence;

/** What a stored packet costs beside topic and payload, roughly. */
const PACKET_OVERHEAD = 300;
const OWN_RETAINED = '$skerry/';

export function createBoundedPersistence(limits: BrokerLimits, audience: Audience, logger: Logger): object {
  const persistence = createMemoryPersistence();
  tellAudience(persistence, audience);
  boundSessions(persistence, new SessionQuota(limits), logger);
  boundRetained(persistence, new RetainedQuota(limits), logger);
  return persistence;
}

function tellAudience(persistence: SubscriptionPersistence, audience: Audience): void {
  const add = persistence.addSubscriptions.bind(persistence);
  const remove = persistence.removeSubscriptions.bind(persistence);
  const clean = persistence.cleanSubscriptions.bind(persistence);
  persistence.addSubscriptions = (client, subscriptions) => {
    audience.keep(
      client.id,
      subscriptions.map(({ topic }) => topic),
    );
    return add(client, subscriptions);
  };
  persistence.removeSubscriptions = (client, filters) => {
    audience.drop(client.id, filters);
    return remove(client, filters);
  };
  persistence.cleanSubscriptions = (client) => {
    audience.dropAll(client.id);
    return clean(client);
  };
}

function boundSessions(persistence: GrowingPersistence, quota: SessionQuota, logger: Logger): void {
  const enqueue = persistence.outgoingEnqueue.bind(persistence);
  const enqueueCombi = persistence.outgoingEnqueueCombi.bind(persistence);
  const clear = persistence.outgoingClearMessageId.bind(persistence);
  const full = new Set<string>();
  const fits = (session: Session, size: number): boolean => {
    if (quota.take(session.clientId, size)) return true;
    if (!full.has(session.clientId)) {
      full.add(session.clientId);
      logger.warn({ client: session.clientId }, 'this session is full: it loses messages until its client reads');
    }
    return false;
  };

  persistence.outgoingEnqueue = async (session, packet) => {
    if (fits(session, sizeOf(packet))) await enqueue(session, packet);
  };
  persistence.outgoingEnqueueCombi = (sessions, packet) => {
    if (sessions.length === 0) return Promise.resolve();
    const size = sizeOf(packet);
    return enqueueCombi(
      sessions.filter((session) => fits(session, size)),
      packet,
    );
  };
  persistence.outgoingClearMessageId = async (client, packet) => {
    const cleared = await clear(client, packet);
    if (cleared === undefined) return undefined;
    quota.give(client.id, cleared.payload === undefined ? undefined : sizeOf(cleared));
    full.delete(client.id);
    return cleared;
  };
}

function boundRetained(persistence: GrowingPersistence, quota: RetainedQuota, logger: Logger): void {
  const store = persistence.storeRetained.bind(persistence);
  let isFull = false;
  const fits = (topic: string, size: number): boolean => {
    const wasFull = isFull;
    isFull = !quota.set(topic, size);
    if (isFull && !wasFull) logger.warn({ topic }, 'no room for more retained messages: this one is not retained');
    return !isFull;
  };

  persistence.storeRetained = (packet) => {
    const { topic, payload } = packet;
    if (topic.startsWith(OWN_RETAINED)) return store(packet);
    if (payload.length > 0 && fits(topic, sizeOf(packet))) return store(packet);
    // Cleared by its client; or it does not fit, and then its predecessor must not stand as the newest.
    quota.delete(topic);
    return store({ ...packet, payload: '' });
  };
}

function sizeOf({ topic, payload }: StoredPacket): number {
  return PACKET_OVERHEAD + (topic?.length ?? 0) + (payload?.length ?? 0);
}
