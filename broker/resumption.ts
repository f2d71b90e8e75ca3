// A session that is resumed gets what its queue holds first, and each message once. Aedes hands it what is published meanwhile as
// well, before its turn and a second time from the queue, under another packet id; and begins with packet ids that older messages
// of the session may still have.
import type { AedesPublishPacket, Client } from 'aedes';
import type { Deliveries } from './deliveries.ts';
import type { OutgoingQueues, QueuedPacket } from './sessions/outgoing-queues.ts';

/** What Aedes' client does not declare. */
interface Resuming {
  readonly connackSent: boolean;
  _nextId: number;
  deliverQoS(packet: QueuedPacket, done: () => void): void;
}

export class Resumption {
  readonly #queues: OutgoingQueues;
  readonly #deliveries: Deliveries;

  constructor(tools: { readonly queues: OutgoingQueues; readonly deliveries: Deliveries }) {
    this.#queues = tools.queues;
    this.#deliveries = tools.deliveries;
  }

  /** The client is known, and has been sent nothing yet. */
  begin(client: Client): void {
    const nextId = this.#queues.nextMessageId(client.id);
    if (nextId !== undefined) (client as unknown as Resuming)._nextId = nextId;
  }

  /**
   * Whether to send it now. One that has no packet id yet does not come from the queue, which brings it if it holds it; and
   * nothing goes before the CONNACK (MQTT-3.2.0-1).
   */
  lets(client: Client, packet: AedesPublishPacket): boolean {
    const isLive = packet.messageId === undefined;
    if (isLive && !(client as unknown as Resuming).connackSent) return false;
    if (isLive && !client.connected && this.#queues.holds(client.id, packet)) return false;
    return this.#queues.take(client.id, packet, client) || !isLive;
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
