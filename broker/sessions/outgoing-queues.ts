// What waits for each persistent session: messages in order, with the packet id that each was sent under. Bounded for one session
// and for all: at a limit the oldest message goes, counted, and said once for each time that a session is full. A message of QoS 2
// that is under way stays: its packet id is owed, and the client would take the next message under it for a repetition.
import type { Logger } from '../../src/kit/logger.ts';
import { Tally } from '../../src/kit/metrics.ts';
import type { BrokerLimits } from '../limits.ts';
import type { KeptMessage, MessageShelf, PacketLike } from './message-shelf.ts';
import { SessionQuota } from './quota.ts';
import { Place, type QueuedPacket } from './queue-place.ts';
import type { QueueState } from './session-records.ts';
import { DROP_REASONS, type DropReason } from './statistics.ts';
import type { WriteBehind } from './write-behind.ts';

interface Queue {
  /** By Aedes' name of the message, in order. */
  readonly places: Map<string, Place>;
  readonly byMessageId: Map<number, Place>;
}

/** No packet has it (MQTT-2.3.1-1). */
const NO_MESSAGE_ID = 0;
const LARGEST_MESSAGE_ID = 65_535;

const last: { brokerId?: string | undefined; brokerCounter?: number | undefined; name: string } = { name: '' };

/** The same few questions are asked of a message one after the other, and of each session that it goes to. */
function nameOf(packet: Partial<PacketLike>): string {
  const { brokerId, brokerCounter } = packet;
  if (brokerCounter !== last.brokerCounter || brokerId !== last.brokerId || last.name === '') {
    last.brokerId = brokerId;
    last.brokerCounter = brokerCounter;
    last.name = `${brokerCounter ?? 0}@${brokerId ?? ''}`;
  }
  return last.name;
}

export class OutgoingQueues {
  readonly #shelf: MessageShelf;
  readonly #writes: WriteBehind;
  readonly #logger: Logger;
  readonly #quota: SessionQuota;
  readonly #queues = new Map<string, Queue>();
  readonly #dropped = new Tally(DROP_REASONS);
  /** How many each session has lost since it was empty. */
  readonly #losses = new Map<string, number>();

  constructor(
    limits: BrokerLimits,
    tools: { readonly shelf: MessageShelf; readonly writes: WriteBehind; readonly logger: Logger },
  ) {
    this.#shelf = tools.shelf;
    this.#writes = tools.writes;
    this.#logger = tools.logger;
    this.#quota = new SessionQuota(limits);
  }

  get statistics() {
    const { messages, bytes } = this.#quota.total;
    return { queuedMessages: messages, queuedBytes: bytes, droppedMessages: this.#dropped.counts };
  }

  /** Once, however many of the session's subscriptions match. Where there is no room, the oldest goes, if need be this one. */
  enqueue(client: string, message: KeptMessage, state: Pick<QueueState, 'qos' | 'isRetained'>): void {
    if (this.#queues.get(client)?.places.has(nameOf(message)) === true) return;
    const place = new Place(client, message, state);
    this.#place(client, place);
    this.#writes.keep(place);
    this.#makeRoom(client);
  }

  /** As it stood in storage; what is there has a right to its room until something comes. */
  restore(client: string, message: KeptMessage, state: QueueState): void {
    const place = new Place(client, message, state);
    place.isStored = true;
    this.#place(client, place);
  }

  /** The packet id a message is sent under, or the PUBREL in its place; false when there is no such message. */
  update(client: string, packet: QueuedPacket): boolean {
    const queue = this.#queues.get(client);
    const { messageId } = packet;
    const isRelease = packet.cmd === 'pubrel';
    const place = isRelease ? queue?.byMessageId.get(messageId ?? NO_MESSAGE_ID) : queue?.places.get(nameOf(packet));
    if (place === undefined) return false;
    if (isRelease) place.release = packet;
    this.#name(client, place, messageId);
    this.#writes.keep(place);
    return true;
  }

  /** The subscriber is done with it. Nothing is known by no packet id. */
  clear(client: string, messageId: number | undefined): QueuedPacket | undefined {
    const place = this.#queues.get(client)?.byMessageId.get(messageId ?? NO_MESSAGE_ID);
    if (place === undefined) return undefined;
    this.#remove(client, place);
    return place.packet;
  }

  /** Its session ends. False when nothing waited. */
  clearAll(client: string): boolean {
    const queue = this.#queues.get(client);
    for (const place of queue?.places.values() ?? []) this.#remove(client, place);
    return queue !== undefined;
  }

  /** Its client was away for too long. Returns how many messages waited. */
  expire(client: string): number {
    const waiting = this.#queues.get(client)?.places.size ?? 0;
    for (let n = 0; n < waiting; n += 1) this.#dropped.add('expired');
    this.clearAll(client);
    return waiting;
  }

  /** Oldest first, those that are queued meanwhile included. MQTT-3.3.1-1: with DUP, where it has been sent before. */
  *packets(client: string): Generator<QueuedPacket> {
    for (const place of this.#queues.get(client)?.places.values() ?? [])
      yield place.release ?? { ...place.packet, dup: place.messageId !== undefined };
  }

  hasAny(client: string): boolean {
    return this.#queues.has(client);
  }

  holds(client: string, packet: QueuedPacket): boolean {
    return this.#queues.get(client)?.places.has(nameOf(packet)) === true;
  }

  /** Of a message that it holds. */
  qosOf(client: string, packet: QueuedPacket): 0 | 1 | 2 {
    return this.#queues.get(client)?.places.get(nameOf(packet))?.qos ?? 0;
  }

  /** Whether this connection is the one to send it now: false when it has begun to. */
  take(client: string, packet: QueuedPacket, connection: object): boolean {
    const place = this.#queues.get(client)?.places.get(nameOf(packet));
    if (place === undefined) return true;
    const isTaken = place.connection === connection;
    place.connection = connection;
    return !isTaken;
  }

  /**
   * The packet id to go on from, as far as can be from the next one that is still in use: in which order those in use were given
   * is nowhere written.
   */
  nextMessageId(client: string): number | undefined {
    const used = [...(this.#queues.get(client)?.byMessageId.keys() ?? [])].sort((a, b) => a - b);
    const [smallest] = used;
    if (smallest === undefined) return undefined;
    let last = smallest;
    let largestGap = 0;
    for (const [at, id] of used.entries()) {
      const gap = (used[at + 1] ?? smallest + LARGEST_MESSAGE_ID) - id;
      if (gap > largestGap) [last, largestGap] = [id, gap];
    }
    return (last % LARGEST_MESSAGE_ID) + 1;
  }

  /** MQTT-2.3.1-4: the first packet id from this one on that is not in use; this one, where all are. */
  freeMessageId(client: string, from: number): number {
    const used = this.#queues.get(client)?.byMessageId;
    if (used === undefined || used.size >= LARGEST_MESSAGE_ID) return from;
    let id = from;
    while (used.has(id)) id = (id % LARGEST_MESSAGE_ID) + 1;
    return id;
  }

  #queue(client: string): Queue {
    const found = this.#queues.get(client);
    if (found !== undefined) return found;
    const made = { places: new Map(), byMessageId: new Map() };
    this.#queues.set(client, made);
    return made;
  }

  #place(client: string, place: Place): void {
    this.#queue(client).places.set(nameOf(place.message), place);
    this.#quota.add(client, place.size);
    this.#shelf.hold(place.message);
    this.#name(client, place, place.messageId);
  }

  #name(client: string, place: Place, messageId: number | undefined): void {
    if (messageId === undefined) return;
    const queue = this.#queue(client);
    if (place.messageId !== undefined && queue.byMessageId.get(place.messageId) === place)
      queue.byMessageId.delete(place.messageId);
    place.messageId = messageId;
    queue.byMessageId.set(messageId, place);
    if (place.qos !== 2 || place.isBound) return;
    place.isBound = true;
    this.#quota.bind(client, place.size);
  }

  #makeRoom(client: string): void {
    for (let excess = this.#quota.excess(client); excess !== undefined; excess = this.#quota.excess(client)) {
      const { session, reason } = excess;
      const oldest = oldestFree(this.#queues.get(session)?.places.values() ?? []);
      if (oldest === undefined) return;
      this.#drop(session, oldest, reason);
    }
  }

  #drop(client: string, place: Place, reason: DropReason): void {
    this.#dropped.add(reason);
    const lost = this.#losses.get(client);
    this.#losses.set(client, (lost ?? 0) + 1);
    if (lost === undefined)
      this.#logger.warn(
        { client, limit: reason },
        'this session is full: it loses its oldest messages until its client reads',
      );
    this.#remove(client, place);
  }

  #remove(client: string, place: Place): void {
    const queue = this.#queue(client);
    if (place.messageId !== undefined) queue.byMessageId.delete(place.messageId);
    queue.places.delete(nameOf(place.message));
    this.#quota.give(client, place.size, place.isBound);
    this.#writes.drop(place);
    this.#shelf.release(place.message);
    if (queue.places.size === 0) this.#emptied(client);
  }

  #emptied(client: string): void {
    this.#queues.delete(client);
    const messages = this.#losses.get(client);
    if (messages === undefined) return;
    this.#losses.delete(client);
    this.#logger.warn({ client, messages }, 'so many messages were dropped from this session since it was last empty');
  }
}

function oldestFree(places: Iterable<Place>): Place | undefined {
  for (const place of places) if (!place.isBound) return place;
  return undefined;
}
