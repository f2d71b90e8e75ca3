// How many of a chain's oldest facts go as one message: as many as the server takes, and never more than one message should hold.
// Pure.
import { encodeBatch } from '../../wire/device-events.ts';
import type { OutboxEntry } from '../outbox/chain-backlog.ts';

/** `too-large`: the oldest alone is more than the server takes, and nothing behind it may go before it. */
export type Packed =
  | { readonly kind: 'empty' }
  | { readonly kind: 'too-large'; readonly entry: OutboxEntry }
  | { readonly kind: 'message'; readonly payload: Uint8Array; readonly newest: OutboxEntry; readonly facts: number };

const WORTH_A_MESSAGE = 256 * 1024;

/** Bytes, without headers. */
export interface Sizes {
  /** What a message may have at all. */
  readonly most: number;
  /** What one of several facts may have. */
  readonly ofSeveral: number;
}

export function pack(entries: readonly OutboxEntry[], sizes: Sizes, encode: (entry: OutboxEntry) => string): Packed {
  const ofSeveral = Math.min(sizes.most, sizes.ofSeveral);
  const characters = Math.min(WORTH_A_MESSAGE, ofSeveral);
  const texts: string[] = [];
  let length = 0;
  for (const entry of entries) {
    const text = encode(entry);
    length += text.length + 1;
    if (texts.length > 0 && length > characters) break;
    texts.push(text);
  }
  // Characters were counted; in bytes there may be three times as many.
  for (let facts = texts.length; facts > 0; facts = Math.floor(facts / 2)) {
    const payload = encodeBatch(texts.slice(0, facts));
    const newest = entries[facts - 1];
    const fits = payload.byteLength <= (facts === 1 ? sizes.most : ofSeveral);
    if (newest !== undefined && fits) return { kind: 'message', payload, newest, facts };
  }
  const [entry] = entries;
  return entry === undefined ? { kind: 'empty' } : { kind: 'too-large', entry };
}
