// Last wills of connected clients, in storage so that those of a killed process can still be published: Aedes says them when a
// connection ends, and the broker those that a former process left. One that the gate refuses is late, and kept apart: its client may
// be back with another. Of one client the newest is kept, and it is late only as long as the disk or the outbox is full.
import { encodeWill, lateWillKey, willKey, type StoredWill } from './session-records.ts';
import type { WriteBehind } from './write-behind.ts';

export interface Will {
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  brokerId?: string;
  clientId?: string;
  /** The record that holds it, of one that is late. */
  readonly record?: string;
}

/** Late ones that are kept: more clients can hardly die while the gate refuses, as no will is taken in then either. */
const MOST_LATE = 10_000;

/** The part of Aedes that tells whose a will is. */
interface Owner {
  readonly id: string;
  readonly clients?: Readonly<Record<string, { readonly closed: boolean; readonly will?: unknown } | undefined>>;
}

export class Wills {
  readonly #writes: WriteBehind;
  readonly #wills = new Map<string, Will>();
  readonly #late = new Map<string, Will>();
  #owner: Owner = { id: '' };

  constructor(tools: { readonly writes: WriteBehind }) {
    this.#writes = tools.writes;
  }

  serve(owner: Owner): void {
    this.#owner = owner;
  }

  restore(will: StoredWill, isLate: boolean): void {
    const { clientId } = will;
    if (isLate) this.#late.set(clientId, { ...will, record: lateWillKey(clientId) });
    else this.#wills.set(clientId, { ...will });
  }

  get(client: string): Will | undefined {
    return this.#wills.get(client);
  }

  put(client: string, will: Will): Promise<void> {
    will.brokerId = this.#owner.id;
    will.clientId = client;
    this.#wills.set(client, will);
    const stored = storedForm(client, will);
    this.#writes.put(willKey(client), () => encodeWill(stored));
    return this.#writes.written();
  }

  /** Not that of a connection that has taken the session over: Aedes asks for the end of its predecessor's. */
  remove(client: string): Will | undefined {
    const will = this.#wills.get(client);
    const live = this.#owner.clients?.[client];
    if (will === undefined || (live?.closed === false && live.will === will)) return undefined;
    this.#wills.delete(client);
    this.#writes.remove(willKey(client));
    return will;
  }

  /** The gate could not keep it now: it is to be said later, whatever becomes of its client. */
  postpone(client: string, will: Will): void {
    if (!this.#late.has(client) && this.#late.size >= MOST_LATE) return;
    const stored = storedForm(client, will);
    this.#late.set(client, { ...stored, record: lateWillKey(client) });
    this.#writes.put(lateWillKey(client), () => encodeWill(stored));
    if (this.#wills.get(client) !== will) return;
    this.#wills.delete(client);
    this.#writes.remove(willKey(client));
  }

  late(): Will[] {
    return [...this.#late.values()];
  }

  /** One that was late. Its client may have left another meanwhile. */
  said(will: Will): void {
    const { clientId = '' } = will;
    if (this.#late.get(clientId) !== will) return;
    this.#late.delete(clientId);
    this.#writes.remove(lateWillKey(clientId));
  }

  /** Those that brokers other than these took in. */
  *ofOthers(brokers: Readonly<Record<string, unknown>>): Generator<Will> {
    for (const will of this.#wills.values()) if (brokers[will.brokerId ?? ''] === undefined) yield will;
  }
}

const storedForm = (client: string, { topic, payload, qos, retain, brokerId = '' }: Will): StoredWill => ({
  ...{ topic, payload: Buffer.from(payload), qos, retain },
  ...{ clientId: client, brokerId },
});
