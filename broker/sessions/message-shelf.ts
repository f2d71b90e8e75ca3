// Messages that somebody holds: the routing journal, queues of sessions, a topic that retains one. Each is stored once, and goes
// when its last holder has let go.
import { messageKey } from './session-records.ts';
import { encodeMessage, type StoredMessage } from './stored-message.ts';
import type { WriteBehind } from './write-behind.ts';

/** As Aedes hands it over. */
export interface PacketLike {
  readonly cmd?: string;
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly qos?: 0 | 1 | 2;
  readonly retain?: boolean;
  readonly dup?: boolean;
  readonly brokerId?: string;
  readonly brokerCounter?: number;
}

export interface KeptMessage extends StoredMessage {
  /** Orders messages as they were admitted; the name of this one in storage. */
  readonly n: number;
  brokerId?: string;
  brokerCounter?: number;
  holders: number;
  isStored: boolean;
}

/** Stands where Aedes' own name for a message would, in one that Aedes had not seen when its process ended. */
const UNSEEN = 'journal';

export class MessageShelf {
  readonly #writes: WriteBehind;
  #next = 1;

  constructor(writes: WriteBehind) {
    this.#writes = writes;
  }

  /** One that nobody holds yet, with a payload of its own: the packet's may be a view of a socket's whole buffer. */
  create(packet: PacketLike): KeptMessage {
    const { topic, payload, qos = 0, retain = false, dup = false, brokerId, brokerCounter } = packet;
    const n = this.#next;
    this.#next += 1;
    return {
      n,
      topic,
      payload: typeof payload === 'string' ? payload : Buffer.from(payload),
      qos,
      retain,
      dup,
      ...(brokerId === undefined || brokerCounter === undefined ? {} : { brokerId, brokerCounter }),
      holders: 0,
      isStored: false,
    };
  }

  /** One that storage had at the start; `isStored`: in a record of its own. */
  restore(n: number, stored: StoredMessage, isStored: boolean): KeptMessage {
    this.#next = Math.max(this.#next, n + 1);
    return { brokerId: UNSEEN, brokerCounter: n, ...stored, n, holders: 0, isStored };
  }

  hold(message: KeptMessage): void {
    message.holders += 1;
    if (message.isStored) return;
    message.isStored = true;
    this.#writes.put(messageKey(message.n), () => encodeMessage(message), true);
  }

  release(message: KeptMessage): void {
    message.holders -= 1;
    if (message.holders === 0) this.discard(message);
  }

  /** Nobody holds it, and storage has it. */
  discard(message: KeptMessage): void {
    message.isStored = false;
    this.#writes.remove(messageKey(message.n));
  }
}
