// Tells a publication that was seen before from a new one. Aedes asks the gate again for every resend, so a client that lost its
// PUBACK would otherwise change the twin twice. Two ways to know: the publisher's own `event_id`, or the DUP flag together with
// the same client, packet id and payload. One ring of records per device, and a fixed number for the clients of everything else,
// written in the commit that it belongs to.
import { createHash } from 'node:crypto';
import type { Store } from '../store/store.ts';
import { jsonTable } from '../store/store-layout.ts';
import type { Transaction } from '../store/transaction.ts';

/** How many publications of one device are remembered: more than any client keeps unacknowledged. */
export const REMEMBERED = 1024;

/**
 * What is kept of a publication, as short text, because a thousand are kept per device: `e` and its event id, or `p`, a hash of
 * client and packet id, and a hash of the payload; empty where it had neither.
 */
export type Trace = string;

interface Slot {
  readonly n: number;
  readonly trace: Trace;
}

const SLOTS = jsonTable<Slot>('seen');

export interface Traceable {
  readonly clientId: string;
  readonly packetId: number | undefined;
  readonly payload: Uint8Array;
}

/**
 * The publisher's own id decides alone where there is one; otherwise packet id and payload together.
 * @param topic to be given where one ring is for many topics
 */
export function traceOf(publication: Traceable, eventId: string, topic = ''): Trace {
  const { clientId, packetId, payload } = publication;
  if (eventId !== '') return `e${eventId.length <= HASH_LENGTH ? eventId : hash(eventId)}`;
  return packetId === undefined ? '' : `p${hash(`${packetId}/${clientId}`)}${hash(payload, topic)}`;
}

const HASH_LENGTH = 12;

/** 72 bits: no two of a device's last 1024 publications collide by chance. */
const hash = (value: string | Uint8Array, topic = ''): string =>
  createHash('sha1').update(topic).update(value).digest('base64').slice(0, HASH_LENGTH);

/** So many rings hold what all clients together publish past devices: bounded, however many clients come and go. */
const CLIENT_RINGS = 32;

/** The ring in which a client's publications are remembered; it has some of them to share. */
export function clientRing(clientId: string): string {
  const digest = createHash('sha1').update(clientId).digest();
  return `clients-${digest.readUInt8(0) % CLIENT_RINGS}`;
}

const isEvent = (trace: Trace): boolean => trace.startsWith('e');
const packetOf = (trace: Trace): string => trace.slice(0, 1 + HASH_LENGTH);

class DeviceRing {
  #next = 0;
  readonly #slots: Trace[] = [];
  readonly #events = new Set<Trace>();

  get next(): number {
    return this.#next;
  }

  /** Returns what undoes it; to be called, if at all, before anything older is undone. */
  add(n: number, trace: Trace): () => void {
    const slot = n % REMEMBERED;
    const replaced = this.#slots[slot] ?? '';
    const next = this.#next;
    this.#events.delete(replaced);
    this.#slots[slot] = trace;
    if (isEvent(trace)) this.#events.add(trace);
    this.#next = n + 1;
    return () => {
      this.#events.delete(trace);
      if (isEvent(replaced)) this.#events.add(replaced);
      this.#slots[slot] = replaced;
      this.#next = next;
    };
  }

  /** The newest record of the same packet id decides: the client had its PUBACK before it used the id again. */
  has(trace: Trace, isDuplicate: boolean): boolean {
    if (isEvent(trace)) return this.#events.has(trace);
    if (!isDuplicate || trace === '') return false;
    for (let back = 1; back <= Math.min(REMEMBERED, this.#next); back += 1) {
      const found = this.#slots[(this.#next - back) % REMEMBERED] ?? '';
      if (packetOf(found) === packetOf(trace)) return found === trace;
    }
    return false;
  }
}

/** Rings are named: by the uid of a device, or as `clientRing` says. */
export class RedeliveryRecords {
  readonly #rings = new Map<string, DeviceRing>();
  readonly #loading = new Map<string, Promise<void>>();

  /**
   * To be awaited, where it gives something to await, before a device's first publication is judged: its records are read then,
   * so that starting a node does not wait for those of all devices.
   */
  prepare(store: Store, device: string): Promise<void> | undefined {
    if (this.#rings.has(device)) return undefined;
    const loading = this.#loading.get(device) ?? this.#load(store, device);
    this.#loading.set(device, loading);
    return loading;
  }

  isRedelivered(device: string, trace: Trace, isDuplicate: boolean): boolean {
    return this.#ring(device).has(trace, isDuplicate);
  }

  /** Remembers at once, so that a resend in the same group commit is recognised; a failed commit forgets again. */
  remember(tx: Transaction, device: string, trace: Trace): void {
    const ring = this.#ring(device);
    const n = ring.next;
    tx.onFailure(ring.add(n, trace));
    tx.put(SLOTS, `${device}#${n % REMEMBERED}`, { n, trace });
  }

  /** A device is gone, or another one has its name: what was remembered of it says nothing any more. */
  async forget(store: Store, device: string): Promise<void> {
    this.#rings.delete(device);
    await store.clear(SLOTS, { from: `${device}#`, through: `${device}$` });
  }

  async #load(store: Store, device: string): Promise<void> {
    try {
      const bounds = { after: `${device}#`, before: `${device}$`, limit: REMEMBERED };
      const slots = (await store.between(SLOTS, bounds)).map(([, slot]) => slot);
      const ring = new DeviceRing();
      for (const { n, trace } of slots.sort((a, b) => a.n - b.n)) ring.add(n, trace);
      this.#rings.set(device, ring);
    } finally {
      this.#loading.delete(device);
    }
  }

  #ring(device: string): DeviceRing {
    const found = this.#rings.get(device);
    if (found !== undefined) return found;
    const made = new DeviceRing();
    this.#rings.set(device, made);
    return made;
  }
}
