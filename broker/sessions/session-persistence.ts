// The persistence Aedes asks: sessions, subscriptions, queues, unfinished QoS 2 exchanges, wills and retained messages. Memory is
// what is read while the broker runs; every change also goes to storage, and Aedes waits for it wherever a client is told
// afterwards that something holds (SUBACK, PUBREC, PUBREL, PUBCOMP, CONNACK). What is undone by a subscriber's PUBACK is not
// waited for: should it be lost, the message comes once more, as QoS 1 allows.
import { Readable } from 'node:stream';
import type { Audience } from '../audience.ts';
import { Destinations } from './destinations.ts';
import { type IncomingPackets, type IncomingPacket } from './incoming-packets.ts';
import type { MatchingSubscription, Subscription } from './kept-subscriptions.ts';
import type { MessageShelf, PacketLike } from './message-shelf.ts';
import type { OutgoingQueues } from './outgoing-queues.ts';
import type { QueuedPacket } from './queue-place.ts';
import { isOwnTopic, type RetainedMessages } from './retained-messages.ts';
import type { RoutingJournal } from './routing-journal.ts';
import { restoreSessions } from './restoration.ts';
import { readRecords, subscriptionKey, type SessionRecords } from './session-records.ts';
import type { SessionDirectory } from './session-directory.ts';
import type { SessionStorage } from './session-storage.ts';
import type { SubscriptionLimits } from './subscription-limits.ts';
import type { Will, Wills } from './wills.ts';
import type { WriteBehind } from './write-behind.ts';

interface ClientId {
  readonly id: string;
  readonly clean?: boolean;
  readonly closed?: boolean;
}

interface HasMessageId {
  readonly messageId?: number | undefined;
}

export interface SessionTools {
  readonly storage: SessionStorage;
  readonly writes: WriteBehind;
  readonly shelf: MessageShelf;
  readonly journal: RoutingJournal;
  readonly queues: OutgoingQueues;
  readonly incoming: IncomingPackets;
  readonly retained: RetainedMessages;
  readonly wills: Wills;
  readonly audience: Audience;
  readonly directory: SessionDirectory;
  readonly subscriptions: SubscriptionLimits;
  /** Told what storage held before anything of it is used. */
  readonly onRead: (records: SessionRecords) => void;
}

export class SessionPersistence {
  readonly #tools: SessionTools;
  readonly #destinations: Destinations;
  /** By the list that Aedes has of a packet's subscriptions: it stores all of them for each of them. */
  readonly #adding = new WeakMap<object, Promise<void>>();
  #broker: object = {};

  constructor(tools: SessionTools) {
    this.#tools = tools;
    this.#destinations = new Destinations(tools);
  }

  get broker(): object {
    return this.#broker;
  }

  /** Reads what storage holds, and routes what a former process journalled and did not route. */
  async setup(broker: { readonly id: string }): Promise<void> {
    this.#broker = broker;
    this.#tools.wills.serve(broker);
    const records = await readRecords(this.#tools.storage.load());
    this.#tools.onRead(records);
    restoreSessions(records, { ...this.#tools, destinations: this.#destinations });
  }

  // Subscriptions.

  async addSubscriptions(client: ClientId, subscriptions: readonly Subscription[]): Promise<void> {
    const isGranted = (one: Subscription): boolean => !this.#tools.subscriptions.isRefused(one);
    const adding = this.#adding.get(subscriptions) ?? this.#addSubscriptions(client, subscriptions.filter(isGranted));
    this.#adding.set(subscriptions, adding);
    await adding;
    this.#adding.delete(subscriptions);
  }

  async #addSubscriptions(client: ClientId, subscriptions: readonly Subscription[]): Promise<void> {
    const { audience, writes } = this.#tools;
    audience.keep(client.id, subscriptions);
    for (const { topic, ...options } of subscriptions)
      writes.put(subscriptionKey(client.id, topic), () => JSON.stringify(options));
    await writes.written();
  }

  async removeSubscriptions(client: ClientId, filters: readonly string[]): Promise<void> {
    const { audience, writes } = this.#tools;
    audience.drop(client.id, filters);
    for (const filter of filters) writes.remove(subscriptionKey(client.id, filter));
    await writes.written();
  }

  /** A client that asks for a clean session must not find the old one after a crash, neither its subscriptions nor its messages. */
  async cleanSubscriptions(client: ClientId): Promise<void> {
    const { audience, writes, queues, directory } = this.#tools;
    directory.end(client.id);
    this.#tools.subscriptions.giveAll(client.id);
    const subscriptions = audience.kept.of(client.id);
    const hadMessages = queues.clearAll(client.id);
    if (subscriptions.length === 0 && !hadMessages) return;
    audience.dropAll(client.id);
    for (const { topic } of subscriptions) writes.remove(subscriptionKey(client.id, topic));
    await writes.written();
  }

  /** Its client was away for too long: nothing of it is left when this returns. Resolves to how many messages waited. */
  async expire(client: string): Promise<number> {
    const waiting = this.#tools.queues.expire(client);
    await Promise.all([this.cleanSubscriptions({ id: client }), this.cleanIncoming({ id: client })]);
    return waiting;
  }

  /**
   * MQTT-3.2.2-2: Aedes takes a session for present when it has a subscription. One that only knows packet ids, or holds messages
   * of filters that it has left, is present as well.
   */
  subscriptionsByClient(client: ClientId): Promise<Subscription[]> {
    const subscriptions = this.#tools.audience.kept.of(client.id);
    const { incoming, queues } = this.#tools;
    const isKnown = incoming.hasAny(client.id) || queues.hasAny(client.id);
    return Promise.resolve(subscriptions.length === 0 && isKnown ? [NOTHING] : subscriptions);
  }

  subscriptionsByTopic(topic: string): Promise<MatchingSubscription[]> {
    return Promise.resolve(this.#tools.audience.kept.matching(topic));
  }

  countOffline(): Promise<{ readonly subsCount: number; readonly clientsCount: number }> {
    return Promise.resolve(this.#tools.audience.kept.counts);
  }

  getClientList(topic: string): Readable {
    return Readable.from(this.#tools.audience.kept.clientsOf(topic));
  }

  // Retained messages.

  storeRetained(packet: PacketLike): PromiseLike<void> {
    const { journal, shelf } = this.#tools;
    if (isOwnTopic(packet.topic)) this.#destinations.packets.set(packet);
    else this.#destinations.retain(packet, journal.find(packet)?.message ?? shelf.create(packet));
    return IN_THIS_TURN;
  }

  createRetainedStream(pattern: string): Readable {
    return this.createRetainedStreamCombi([pattern]);
  }

  createRetainedStreamCombi(patterns: readonly string[]): Readable {
    return Readable.from(this.#destinations.packets.matching(patterns));
  }

  /** Asked of one that a new subscription brings, as others are published while it is on its way. */
  isRetained(packet: Pick<PacketLike, 'topic' | 'payload'>): boolean {
    return this.#destinations.packets.has(packet);
  }

  // What goes out.

  /** What a new subscription is told of a retained message. */
  outgoingEnqueue(subscription: MatchingSubscription, packet: PacketLike): Promise<void> {
    return this.outgoingEnqueueCombi([subscription], packet, packet.retain);
  }

  /** Aedes' last question before a publication is delivered, and the end of its journal entry. */
  async outgoingEnqueueCombi(
    subscriptions: readonly MatchingSubscription[],
    packet: PacketLike,
    isRetained = false,
  ): Promise<void> {
    const { journal, shelf, writes } = this.#tools;
    const slip = journal.find(packet);
    if (subscriptions.length > 0) {
      const message = slip?.message ?? shelf.create(packet);
      if (packet.brokerId !== undefined) message.brokerId = packet.brokerId;
      if (packet.brokerCounter !== undefined) message.brokerCounter = packet.brokerCounter;
      this.#destinations.enqueue(subscriptions, message, isRetained);
    }
    if (slip !== undefined) journal.routed(slip);
    // Delivered only once it is in the queue for good: at QoS 2 the subscriber may not get it from the journal again.
    if (packet.qos === 2 && subscriptions.length > 0) await writes.written();
  }

  async outgoingUpdate(client: ClientId, packet: QueuedPacket): Promise<void> {
    // A connection that was taken over must not give a message another packet id than its successor did.
    if (client.closed === true) throw new Error('no such packet');
    // One that a limit has dropped meanwhile goes on unkept; an error would end the connection.
    const isKept = this.#tools.queues.update(client.id, packet);
    if (isKept && (packet.qos === 2 || packet.cmd === 'pubrel')) await this.#tools.writes.written();
  }

  outgoingClearMessageId(client: ClientId, packet: QueuedPacket): Promise<QueuedPacket | undefined> {
    return Promise.resolve(this.#tools.queues.clear(client.id, packet.messageId));
  }

  outgoingStream(client: ClientId): Readable {
    return Readable.from(this.#tools.queues.packets(client.id));
  }

  // What comes in at QoS 2.

  async incomingStorePacket(client: ClientId, packet: IncomingPacket): Promise<void> {
    const { journal, incoming, writes } = this.#tools;
    const { messageId = 0 } = packet;
    const isStored = journal.find(packet)?.exchange !== undefined;
    if (isStored || client.clean === true) {
      incoming.add(client.id, messageId, isStored);
      return;
    }
    incoming.store(client.id, messageId);
    await writes.written();
  }

  /** Aedes asks only whether it is there. */
  incomingGetPacket(client: ClientId, { messageId = 0 }: HasMessageId): Promise<HasMessageId> {
    if (this.#tools.incoming.has(client.id, messageId)) return Promise.resolve({ messageId });
    return Promise.reject(new Error('no such packet'));
  }

  /** On disk before PUBCOMP, also one that answers a second PUBREL: the client may use the packet id again after that. */
  async incomingDelPacket(client: ClientId, { messageId = 0 }: HasMessageId): Promise<void> {
    const { incoming, writes } = this.#tools;
    if (!incoming.has(client.id, messageId)) throw new Error('no such packet');
    if (incoming.unstore(client.id, messageId)) await writes.written();
    incoming.forget(client.id, messageId);
  }

  async cleanIncoming(client: ClientId): Promise<void> {
    if (this.#tools.incoming.removeAll(client.id)) await this.#tools.writes.written();
  }

  // Wills.

  putWill(client: ClientId, will: Will): Promise<void> {
    return this.#tools.wills.put(client, will);
  }

  getWill(client: ClientId): Promise<Will | undefined> {
    return Promise.resolve(this.#tools.wills.get(client.id));
  }

  delWill(client: ClientId): Promise<Will | undefined> {
    return Promise.resolve(this.#tools.wills.discard(client.id));
  }

  streamWill(brokers: Readonly<Record<string, unknown>> = {}): Readable {
    return Readable.from(this.#tools.wills.ofOthers(brokers));
  }

  destroy(): Promise<void> {
    return Promise.resolve();
  }
}

/** A topic on which nothing is ever said, for Aedes to think that there is a subscription. */
export const NOTHING: Subscription = Object.freeze({ topic: '$skerry/session', qos: 0 });

/**
 * The answer of what is done already. Aedes goes on in the same turn, as it does with what is not retained: a promise would let the
 * next publication of the same client overtake this one.
 */
const IN_THIS_TURN: PromiseLike<void> = {
  then: (done) => {
    done?.();
    return Promise.resolve() as Promise<never>;
  },
};
