// Messages that somebody holds: the routing journal, queues of sessions, a topic that retains one. Each is stored once, and goes
// when its last holder has let go.
import { messageKey } from './session-records.ts';
import { encodeMessage, type StoredMessage } from './stored-message.ts';
import type { Row, WriteBehind } from './write-behind.ts';

/** As Aedes hands it over. */
export interface PacketLike {
  readonly cmd?: string;
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly qos?: 0 | 1 | 2;
  readonly retain?: boolean;
  readonly dup?: boolean;
  readonly brokerId?: string | undefined;
  readonly brokerCounter?: number | undefined;
}

/** Its record in storage is a row of its own. */
export class KeptMessage implements StoredMessage, Row {
  /** Orders messages as they were admitted; the name of this one in storage. */
  readonly n: number;
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly dup: boolean;
  brokerId: string | undefined;
  brokerCounter: number | undefined;
  holders = 0;
  isStored: boolean;
  isGone = false;

  constructor(n: number, message: StoredMessage, isStored: boolean) {
    this.n = n;
    this.topic = message.topic;
    this.payload = message.payload;
    this.qos = message.qos;
    this.retain = message.retain;
    this.dup = message.dup;
    this.brokerId = message.brokerId;
    this.brokerCounter = message.brokerCounter;
    this.isStored = isStored;
  }

  get key(): string {
    return messageKey(this.n);
  }

  encode(): string {
    return encodeMessage(this);
  }
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
    const own = typeof payload === 'string' ? payload : Buffer.from(payload);
    return new KeptMessage(n, { topic, payload: own, qos, retain, dup, brokerId, brokerCounter }, false);
  }

  /** One that storage had at the start; `isStored`: in a record of its own. */
  restore(n: number, stored: StoredMessage, isStored: boolean): KeptMessage {
    this.#next = Math.max(this.#next, n + 1);
    return new KeptMessage(n, { brokerId: UNSEEN, brokerCounter: n, ...stored }, isStored);
  }

  hold(message: KeptMessage): void {
    message.holders += 1;
    if (message.holders === 1 && (message.isGone || !message.isStored)) this.#writes.keep(message);
  }

  release(message: KeptMessage): void {
    message.holders -= 1;
    if (message.holders === 0) this.#writes.drop(message);
  }

  /** Nobody is to hold it. */
  discard(message: KeptMessage): void {
    message.holders = 0;
    this.#writes.drop(message);
  }
}
