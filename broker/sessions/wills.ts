// Last wills, in storage so that those of a killed process can still be published. Each connection's is a record of its own and is
// over by itself: after a takeover the predecessor's and the successor's stand beside each other until the former was said. One that
// the gate refuses is late, whatever becomes of its client; of one client the newest is kept.
import type { BrokerLimits } from '../limits.ts';
import { sizeOf } from './queue-place.ts';
import { encodeWill, numberOfWill, willKey, type LeftWill, type WillAuthor } from './session-records.ts';
import { WillRoom } from './will-room.ts';
import type { WriteBehind } from './write-behind.ts';

export interface Will {
  readonly topic: string;
  payload: string | Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  brokerId?: string;
  clientId?: string;
  /** Who leaves it, where that is known: whoever may not publish to its topic when it is time does not say it. */
  author?: WillAuthor;
}

/** Whose will it is: a connection as Aedes has it, or just its name. */
export interface Mortal {
  readonly id: string;
  /** Of a connection. */
  readonly closed?: boolean;
  /** Aedes' word for: it said DISCONNECT. */
  readonly _disconnected?: boolean;
}

/** One that is neither said nor discarded. */
export interface Owed {
  readonly client: string;
  readonly will: Will;
  /** The key of its record. */
  readonly record: string;
  /** Absent where a former process took it in. */
  readonly owner?: Mortal;
}

export class Wills {
  readonly #writes: WriteBehind;
  readonly #owed = new Map<string, readonly Owed[]>();
  readonly #late = new Map<string, Owed>();
  readonly #room: WillRoom;
  /** Let in by their CONNECT, and not stored yet. */
  readonly #coming = new WeakSet();
  #broker: { readonly id: string } = { id: '' };
  #newest = 0;

  constructor(limits: Pick<BrokerLimits, 'willBytes'>, tools: { readonly writes: WriteBehind }) {
    this.#room = new WillRoom(limits);
    this.#writes = tools.writes;
  }

  get statistics(): { readonly wills: number; readonly willBytes: number } {
    const { wills, bytes } = this.#room.total;
    return { wills, willBytes: bytes };
  }

  serve(broker: { readonly id: string }): void {
    this.#broker = broker;
  }

  restore({ record, ...will }: LeftWill): void {
    this.#newest = Math.max(this.#newest, numberOfWill(record));
    this.#add({ client: will.clientId, will, record });
  }

  /** Whether there is room for the client's will, which is held until it is over, or given up. That of the connection whose place it takes makes room. */
  admits(client: string, will: Will, predecessor: Mortal | undefined): boolean {
    const leaving = this.#owed.get(client)?.find(({ owner }) => owner !== undefined && owner === predecessor);
    const isAdmitted = this.#room.take(will, weightOf(client, will), leaving?.will);
    if (isAdmitted) this.#coming.add(will);
    return isAdmitted;
  }

  /** Its connection has ended. */
  giveUp(will: object): void {
    if (this.#coming.delete(will)) this.#room.give(will);
  }

  get(client: string): Will | undefined {
    return this.#owed.get(client)?.at(-1)?.will;
  }

  /** In storage when it resolves. */
  put(owner: Mortal, will: Will): Promise<void> {
    const { id: client } = owner;
    const { topic, qos, retain, author } = will;
    const payload = (will.payload = copyOf(will.payload));
    const brokerId = (will.brokerId = this.#broker.id);
    const clientId = (will.clientId = client);
    this.#newest += 1;
    this.#coming.delete(will);
    const record = willKey(client, this.#newest);
    this.#add({ client, will, record, owner });
    this.#writes.put(
      record,
      () => encodeWill({ topic, payload, qos, retain, clientId, brokerId, ...(author && { author }) }),
      true,
    );
    return this.#writes.written();
  }

  recordOf(owner: Pick<Mortal, 'id'>, will: object): string | undefined {
    return this.#find(owner.id, will)?.record;
  }

  /** The gate has answered for it, so that it is kept wherever it is to be kept, or may not be said. */
  over(owner: Mortal, will: object): void {
    const owed = this.#find(owner.id, will);
    if (owed !== undefined) this.end(owed);
  }

  /** One that was left, or late, was said. */
  end(owed: Owed): void {
    if (!this.#take(owed)) return;
    this.#room.give(owed.will);
    this.#writes.remove(owed.record);
  }

  /** Those of the client that nobody is going to say: not one whose connection is open, or was lost and has the gate asked. */
  discard(client: string): Will | undefined {
    const discarded = (this.#owed.get(client) ?? []).filter(({ owner }) => isNobodys(owner));
    for (const owed of discarded) this.end(owed);
    return discarded.at(-1)?.will;
  }

  /** The gate could not keep it now: it is to be said later. Its record stays as it is. */
  postpone(client: string, will: object): void {
    const owed = this.#find(client, will);
    if (owed === undefined) return;
    const before = this.#late.get(client);
    if (before !== undefined) this.end(before);
    this.#take(owed);
    this.#late.set(client, owed);
  }

  /** Those of former processes. */
  left(): Owed[] {
    return [...this.#owed.values()].flat().filter(({ owner }) => owner === undefined);
  }

  late(): Owed[] {
    return [...this.#late.values()];
  }

  /** Those that brokers other than these took in. */
  *ofOthers(brokers: Readonly<Record<string, unknown>>): Generator<Will> {
    for (const { will } of [...this.#owed.values()].flat()) if (brokers[will.brokerId ?? ''] === undefined) yield will;
  }

  #find(client: string, will: object): Owed | undefined {
    return this.#owed.get(client)?.find((owed) => owed.will === will);
  }

  #add(owed: Owed): void {
    this.#room.hold(owed.will, weightOf(owed.client, owed.will));
    this.#owed.set(owed.client, [...(this.#owed.get(owed.client) ?? []), owed]);
  }

  /** False when it was taken out before. */
  #take(owed: Owed): boolean {
    const { client } = owed;
    if (this.#late.get(client) === owed) return this.#late.delete(client);
    const all = this.#owed.get(client) ?? [];
    const others = all.filter((one) => one !== owed);
    if (others.length > 0) this.#owed.set(client, others);
    else this.#owed.delete(client);
    return others.length < all.length;
  }
}

const weightOf = (client: string, will: Will): number => client.length + sizeOf(will);

const isNobodys = (owner: Mortal | undefined): boolean => owner?.closed === undefined || owner._disconnected === true;

/** As it came it is a part of what was read from the socket at once, which would be held with it. */
function copyOf(payload: string | Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(Buffer.byteLength(payload));
  if (typeof payload === 'string') copy.write(payload);
  else payload.copy(copy);
  return copy;
}
