// A session gets each message once, at the QoS at which it keeps it, and when it is resumed what its queue holds first. Aedes hands
// it what is published meanwhile as well, before its turn and a second time from the queue, under another packet id; begins with
// packet ids that older messages of the session may still have; and of overlapping subscriptions takes the first for its QoS, or
// the one that names the topic, where the highest counts (MQTT-3.3.5-1).
import type { AedesPublishPacket, Client } from 'aedes';
import type { Audience } from './audience.ts';
import type { Deliveries } from './deliveries.ts';
import type { OutgoingQueues } from './sessions/outgoing-queues.ts';
import type { QueuedPacket } from './sessions/queue-place.ts';

/** What Aedes' client does not declare. */
interface Resuming {
  readonly connackSent: boolean;
  _nextId: number;
  deliverQoS(packet: QueuedPacket, done: () => void): void;
  deliver0(packet: QueuedPacket, done: () => void): void;
}

export interface ResumptionTools {
  readonly queues: OutgoingQueues;
  readonly deliveries: Deliveries;
  readonly audience: Pick<Audience, 'grants'>;
}

export class Resumption {
  readonly #queues: OutgoingQueues;
  readonly #deliveries: Deliveries;
  readonly #audience: Pick<Audience, 'grants'>;
  /** How many subscriptions a session is about to have. */
  readonly #subscribing = new WeakMap<Client, number>();

  constructor(tools: ResumptionTools) {
    this.#queues = tools.queues;
    this.#deliveries = tools.deliveries;
    this.#audience = tools.audience;
  }

  /** A connection of which nothing is known yet: what a subscription at QoS 0 brings may be in the queue for the sake of another. */
  watch(client: Client): void {
    const resuming = client as unknown as Resuming;
    // Aedes and `Deliveries` count on from the last packet id, and may come by one whose exchange is still open.
    let nextId = resuming._nextId;
    Object.defineProperty(client, '_nextId', {
      get: () => (nextId = client.clean ? nextId : this.#queues.freeMessageId(client.id, nextId)),
      set: (id: number) => (nextId = id),
    });
    const deliver0 = resuming.deliver0.bind(client);
    let asked = 0;
    resuming.deliver0 = (packet, done) => {
      // Of the many subscriptions that may match a publication, the first decides.
      const isFirst = asked !== this.#deliveries.publication;
      asked = this.#deliveries.publication;
      if (client.clean || packet.qos === 0) deliver0(packet, done);
      else if (!isFirst) done();
      else if (this.#audience.grants(client.id, packet.topic ?? '') > 0) resuming.deliverQoS(packet, done);
      else deliver0({ ...packet, qos: 0 }, done);
    };
  }

  /** The client is known, and has been sent nothing yet. */
  begin(client: Client): void {
    const nextId = this.#queues.nextMessageId(client.id);
    if (nextId !== undefined) (client as unknown as Resuming)._nextId = nextId;
  }

  /**
   * Whether to send it now. What has a packet id comes from the queue; the rest is live. Nothing live goes before the CONNACK
   * (MQTT-3.2.0-1), nor before what the queue brings anyway. What the queue does not hold any more was sent already, or dropped by
   * a limit.
   */
  lets(client: Client, packet: AedesPublishPacket): boolean {
    const isHeld = this.#queues.holds(client.id, packet);
    if (packet.messageId !== undefined) {
      if (isHeld) this.#queues.take(client.id, packet, client);
      return isHeld;
    }
    if (!(client as unknown as Resuming).connackSent) return false;
    if (!isQueued(client, packet)) return true;
    if (!client.connected || this.#subscribing.has(client) || !isHeld || !this.#queues.take(client.id, packet, client))
      return false;
    packet.qos = this.#queues.qosOf(client.id, packet);
    return true;
  }

  /**
   * A subscription is being made: from here on its messages are kept, and not yet live. So that they are not overtaken, all that
   * is kept waits until the whole SUBSCRIBE is done. Those of a session that is being resumed are no news.
   */
  hold(client: Client): void {
    if (client.clean || !(client as unknown as Resuming).connackSent) return;
    this.#subscribing.set(client, (this.#subscribing.get(client) ?? 0) + 1);
  }

  /** So many of them are made, or refused. */
  release(client: Client, subscriptions: number): void {
    const left = (this.#subscribing.get(client) ?? 0) - subscriptions;
    if (left > 0) this.#subscribing.set(client, left);
    else if (this.#subscribing.delete(client) && client.connected) this.finish(client);
  }

  /** The queue was sent to its end: what came between its end and this is sent now, before anything newer. */
  finish(client: Client): void {
    for (const packet of this.#queues.packets(client.id)) {
      if (packet.messageId !== undefined) continue;
      this.#deliveries.next();
      (client as unknown as Resuming).deliverQoS(packet, () => undefined);
    }
  }
}

/** Whether it came by way of a queue: a retained message that a new subscription brings has no name, and QoS 0 is not kept. */
function isQueued(
  { clean }: Client,
  { qos, brokerId }: { readonly qos: number; readonly brokerId: string | null },
): boolean {
  return !clean && qos > 0 && brokerId !== null;
}
