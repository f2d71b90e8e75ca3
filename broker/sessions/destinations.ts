// Where a message goes that is routed: into the queues of sessions, and onto the topic that retains it.
import type { MatchingSubscription } from './kept-subscriptions.ts';
import type { KeptMessage, PacketLike } from './message-shelf.ts';
import type { OutgoingQueues } from './outgoing-queues.ts';
import type { RetainedMessages } from './retained-messages.ts';
import { RetainedPackets } from './retained-packets.ts';

type Qos = 0 | 1 | 2;

export interface DestinationTools {
  readonly queues: OutgoingQueues;
  readonly retained: RetainedMessages;
}

export class Destinations {
  readonly #tools: DestinationTools;
  /** What new subscribers are told, the broker's own topics included. */
  readonly packets = new RetainedPackets();

  constructor(tools: DestinationTools) {
    this.#tools = tools;
  }

  /** Once into the queue of each session, at the highest QoS that its subscriptions grant. */
  enqueue(subscriptions: readonly MatchingSubscription[], message: KeptMessage, isRetained = false): void {
    const granted = new Map<string, Qos>();
    for (const { clientId, qos } of subscriptions) granted.set(clientId, larger(granted.get(clientId), qos));
    for (const [client, qos] of granted)
      this.#tools.queues.enqueue(client, message, { qos: smaller(qos, message.qos), isRetained });
  }

  /** An empty one clears its topic; so does one for which there is no room, as its predecessor must not stand as the newest. */
  retain(packet: PacketLike, message: KeptMessage): void {
    const { retained } = this.#tools;
    const isRetained = message.payload.length > 0 && retained.set(message);
    if (!isRetained) retained.clear(message.topic);
    this.packets.set({ ...packet, payload: isRetained ? message.payload : '' });
  }
}

const larger = (a: Qos | undefined, b: Qos): Qos => (a === undefined || a < b ? b : a);
const smaller = (a: Qos, b: Qos): Qos => (a < b ? a : b);

/** What a new subscriber is told of a retained message. */
export const retainedPacket = ({ topic, payload, qos, retain }: KeptMessage): PacketLike => ({
  cmd: 'publish',
  topic,
  payload,
  qos,
  retain,
});
