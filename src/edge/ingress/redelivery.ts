// Tells a publication that was seen before from a new one. Aedes asks the gate again for every resend, so a client that lost its
// PUBACK would otherwise change the twin twice. Two ways to know: the publisher's own `event_id`, or the DUP flag together with
// the same client, packet id and payload. One ring of records per device, written in the commit that it belongs to.
import { createHash } from 'node:crypto';
import type { EdgeStore } from '../store/edge-store.ts';
import { jsonTable } from '../store/store-layout.ts';
import type { Transaction } from '../store/transaction.ts';

/** How many publications of one device are remembered: more than any client keeps unacknowledged. */
export const REMEMBERED = 1024;

/** What is kept of a publication: short hashes, empty where it had no event id or no packet id. */
export interface Trace {
  readonly event: string;
  readonly packet: string;
  readonly payload: string;
}

interface Slot extends Trace {
  readonly n: number;
}

const SLOTS = jsonTable<Slot>('seen');

export interface Traceable {
  readonly clientId: string;
  readonly packetId: number | undefined;
  readonly payload: Uint8Array;
}

/** The publisher's own id decides alone where there is one; otherwise packet id and payload together. */
export function traceOf(publication: Traceable, eventId: string): Trace {
  const { clientId, packetId, payload } = publication;
  if (eventId !== '')
    return { event: eventId.length <= HASH_LENGTH ? eventId : hash(eventId), packet: '', payload: '' };
  if (packetId === undefined) return { event: '', packet: '', payload: '' };
  return { event: '', packet: hash(`${packetId}/${clientId}`), payload: hash(payload) };
}

const HASH_LENGTH = 12;

/** 72 bits: no two of a device's last 1024 publications collide by chance. */
const hash = (value: string | Uint8Array): string =>
  createHash('sha1').update(value).digest('base64').slice(0, HASH_LENGTH);

class DeviceRing {
  #next = 0;
  readonly #slots: (Trace | undefined)[] = [];
  readonly #events = new Set<string>();

  get next(): number {
    return this.#next;
  }

  /** Returns what undoes it; to be called, if at all, before anything older is undone. */
  add(n: number, trace: Trace): () => void {
    const slot = n % REMEMBERED;
    const replaced = this.#slots[slot];
    const next = this.#next;
    if (replaced !== undefined) this.#events.delete(replaced.event);
    this.#slots[slot] = trace;
    if (trace.event !== '') this.#events.add(trace.event);
    this.#next = n + 1;
    return () => {
      this.#events.delete(trace.event);
      if (replaced !== undefined && replaced.event !== '') this.#events.add(replaced.event);
      this.#slots[slot] = replaced;
      this.#next = next;
    };
  }

  /** The newest record of the same packet id decides: the client had its PUBACK before it used the id again. */
  has(trace: Trace, isDuplicate: boolean): boolean {
    if (trace.event !== '') return this.#events.has(trace.event);
    if (!isDuplicate || trace.packet === '') return false;
    for (let back = 1; back <= Math.min(REMEMBERED, this.#next); back += 1) {
      const found = this.#slots[(this.#next - back) % REMEMBERED];
      if (found?.packet === trace.packet) return found.payload === trace.payload;
    }
    return false;
  }
}

export class RedeliveryRecords {
  readonly #rings = new Map<string, DeviceRing>();

  async load(store: EdgeStore): Promise<void> {
    this.#rings.clear();
    const slots: (readonly [string, Slot])[] = [];
    for await (const [key, slot] of store.all(SLOTS)) slots.push([key.slice(0, key.lastIndexOf('#')), slot]);
    slots.sort(([, a], [, b]) => a.n - b.n);
    for (const [device, { n, event, packet, payload }] of slots) this.#ring(device).add(n, { event, packet, payload });
  }

  isRedelivered(device: string, trace: Trace, isDuplicate: boolean): boolean {
    return this.#ring(device).has(trace, isDuplicate);
  }

  /** Remembers at once, so that a resend in the same group commit is recognised; a failed commit forgets again. */
  remember(tx: Transaction, device: string, trace: Trace): void {
    const ring = this.#ring(device);
    const n = ring.next;
    tx.onFailure(ring.add(n, trace));
    tx.put(SLOTS, `${device}#${n % REMEMBERED}`, { n, ...trace });
  }

  #ring(device: string): DeviceRing {
    const found = this.#rings.get(device);
    if (found !== undefined) return found;
    const made = new DeviceRing();
    this.#rings.set(device, made);
    return made;
  }
}
