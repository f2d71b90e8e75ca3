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
    return client.connected && isHeld && this.#queues.take(client.id, packet, client);
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
