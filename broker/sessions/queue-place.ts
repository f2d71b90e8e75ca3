// A message in the queue of one session: where it stands with its subscriber, and how that looks in storage.
import type { KeptMessage, PacketLike } from './message-shelf.ts';
import { queueKey, type QueueState } from './session-records.ts';
import type { Row } from './write-behind.ts';

/** A packet as it stands in a queue: a PUBLISH, or the PUBREL that takes its place. */
export interface QueuedPacket extends Partial<PacketLike> {
  readonly messageId?: number | undefined;
}

/** What a stored packet costs beside topic and payload, roughly. */
const PACKET_OVERHEAD = 300;

export const sizeOf = ({ topic, payload }: { readonly topic: string; readonly payload: string | Buffer }): number =>
  PACKET_OVERHEAD + topic.length + payload.length;

export class Place implements Row {
  readonly client: string;
  readonly message: KeptMessage;
  readonly size: number;
  readonly qos: 0 | 1 | 2;
  readonly isRetained: boolean;
  messageId: number | undefined;
  /** Stands here once the subscriber has the message. */
  release: QueuedPacket | undefined;
  /** The connection that it is being sent on, or was. */
  connection: object | undefined;
  /** Cannot be dropped any more. */
  isBound = false;
  isStored = false;
  isGone = false;

  constructor(client: string, message: KeptMessage, state: QueueState) {
    const { qos, messageId, isReleased, isRetained = false } = state;
    this.client = client;
    this.message = message;
    this.size = sizeOf(message);
    this.qos = qos;
    this.isRetained = isRetained;
    this.messageId = messageId;
    this.release = isReleased === true ? { cmd: 'pubrel', messageId } : undefined;
    this.connection = undefined;
  }

  get key(): string {
    return queueKey(this.client, this.message.n);
  }

  encode(): string {
    const { qos, isRetained, messageId, release } = this;
    const state: QueueState = {
      qos,
      ...(isRetained ? { isRetained } : {}),
      ...(messageId === undefined ? {} : { messageId }),
      ...(release === undefined ? {} : { isReleased: true }),
    };
    return JSON.stringify(state);
  }

  /** What is to be sent to its subscriber. */
  get packet(): QueuedPacket {
    if (this.release !== undefined) return this.release;
    const { qos, isRetained, messageId } = this;
    const { topic, payload, brokerId = '', brokerCounter = 0 } = this.message;
    // Flags of its publisher are not handed on: MQTT-3.3.1-3, and -9, where the subscription was there when it came.
    return { cmd: 'publish', brokerId, brokerCounter, topic, payload, qos, retain: isRetained, dup: false, messageId };
  }
}
