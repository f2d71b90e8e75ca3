// What waits for each persistent session: messages in order, with the packet id that each was sent under. Bounded by two quotas;
// what a limit keeps out is said once per session, never dropped silently.
import type { Logger } from '../../src/kit/logger.ts';
import type { BrokerLimits } from '../limits.ts';
import type { KeptMessage, MessageShelf, PacketLike } from './message-shelf.ts';
import { SessionQuota } from './quota.ts';
import { queueKey, type QueueState } from './session-records.ts';
import type { WriteBehind } from './write-behind.ts';

/** A packet as it stands in a queue: a PUBLISH, or the PUBREL that takes its place. */
export interface QueuedPacket extends Partial<PacketLike> {
  readonly messageId?: number | undefined;
}

interface Place {
  readonly message: KeptMessage;
  readonly size: number;
  readonly qos: 0 | 1 | 2;
  messageId: number | undefined;
  /** Stands here once the subscriber has the message. */
  release: QueuedPacket | undefined;
  /** The connection that it is being sent on, or was. */
  connection: object | undefined;
}

interface Queue {
  /** By Aedes' name of the message, in order. */
  readonly places: Map<string, Place>;
  readonly byMessageId: Map<number, Place>;
}

/** What a stored packet costs beside topic and payload, roughly. */
const PACKET_OVERHEAD = 300;
/** No packet has it (MQTT-2.3.1-1). */
const NO_MESSAGE_ID = 0;
const LARGEST_MESSAGE_ID = 65_535;

export const sizeOf = ({ topic, payload }: { readonly topic: string; readonly payload: string | Buffer }): number =>
  PACKET_OVERHEAD + topic.length + payload.length;

const nameOf = ({ brokerId, brokerCounter }: Partial<PacketLike>): string => `${brokerCounter ?? 0}@${brokerId ?? ''}`;

export class OutgoingQueues {
  readonly #shelf: MessageShelf;
  readonly #writes: WriteBehind;
  readonly #logger: Logger;
  readonly #quota: SessionQuota;
  readonly #queues = new Map<string, Queue>();
  readonly #full = new Set<string>();

  constructor(
    limits: BrokerLimits,
    tools: { readonly shelf: MessageShelf; readonly writes: WriteBehind; readonly logger: Logger },
  ) {
    this.#shelf = tools.shelf;
    this.#writes = tools.writes;
    this.#logger = tools.logger;
    this.#quota = new SessionQuota(limits);
  }

  /** Once, however many of the session's subscriptions match. */
  enqueue(client: string, message: KeptMessage, qos: 0 | 1 | 2): void {
    const size = sizeOf(message);
    if (this.#queues.get(client)?.places.has(nameOf(message)) === true || !this.#fits(client, size)) return;
    const place = { message, size, qos, messageId: undefined, release: undefined, connection: undefined };
    this.#place(client, place);
    this.#writes.put(queueKey(client, message.n), () => encodeState(place), true);
  }

  /** As it stood in storage; what is there has a right to its room. */
  restore(client: string, message: KeptMessage, { qos, messageId, isReleased }: QueueState): void {
    const size = sizeOf(message);
    this.#quota.add(client, size);
    const release = isReleased === true ? { cmd: 'pubrel', messageId } : undefined;
    this.#place(client, { message, size, qos, messageId, release, connection: undefined });
  }

  /** The packet id a message is sent under, or the PUBREL in its place; false when there is no such message. */
  update(client: string, packet: QueuedPacket): boolean {
    const queue = this.#queues.get(client);
    const { messageId } = packet;
    const place = queue?.places.get(nameOf(packet)) ?? queue?.byMessageId.get(messageId ?? NO_MESSAGE_ID);
    if (place === undefined) return false;
    if (packet.cmd === 'pubrel') place.release = packet;
    this.#name(client, place, messageId);
    this.#writes.put(queueKey(client, place.message.n), () => encodeState(place));
    return true;
  }

  /** The subscriber is done with it. Nothing is known by no packet id. */
  clear(client: string, messageId: number | undefined): QueuedPacket | undefined {
    const place = this.#queues.get(client)?.byMessageId.get(messageId ?? NO_MESSAGE_ID);
    if (place === undefined) return undefined;
    this.#drop(client, place);
    return packetOf(place);
  }

  /** Its session ends. False when nothing waited. */
  clearAll(client: string): boolean {
    const queue = this.#queues.get(client);
    for (const place of queue?.places.values() ?? []) this.#drop(client, place);
    return queue !== undefined;
  }

  /** Oldest first, those that are queued meanwhile included. */
  *packets(client: string): Generator<QueuedPacket> {
    for (const place of this.#queues.get(client)?.places.values() ?? []) yield packetOf(place);
  }

  holds(client: string, packet: QueuedPacket): boolean {
    return this.#queues.get(client)?.places.has(nameOf(packet)) === true;
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

  #queue(client: string): Queue {
    const found = this.#queues.get(client);
    if (found !== undefined) return found;
    const made = { places: new Map(), byMessageId: new Map() };
    this.#queues.set(client, made);
    return made;
  }

  #place(client: string, place: Place): void {
    this.#queue(client).places.set(nameOf(place.message), place);
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
  }

  #drop(client: string, place: Place): void {
    const queue = this.#queue(client);
    if (place.messageId !== undefined) queue.byMessageId.delete(place.messageId);
    queue.places.delete(nameOf(place.message));
    if (queue.places.size === 0) this.#queues.delete(client);
    this.#quota.give(client, place.size);
    this.#full.delete(client);
    this.#writes.remove(queueKey(client, place.message.n));
    this.#shelf.release(place.message);
  }

  #fits(client: string, size: number): boolean {
    if (this.#quota.take(client, size)) return true;
    if (!this.#full.has(client)) {
      this.#full.add(client);
      this.#logger.warn({ client }, 'this session is full: it loses messages until its client reads');
    }
    return false;
  }
}

function encodeState({ qos, messageId, release }: Place): string {
  const state: QueueState = {
    qos,
    ...(messageId === undefined ? {} : { messageId }),
    ...(release === undefined ? {} : { isReleased: true }),
  };
  return JSON.stringify(state);
}

function packetOf({ message, qos, messageId, release }: Place): QueuedPacket {
  if (release !== undefined) return release;
  const { topic, payload, retain, dup, brokerId = '', brokerCounter = 0 } = message;
  return { cmd: 'publish', brokerId, brokerCounter, topic, payload, qos, retain, dup, messageId };
}
