// What the outbox holds on disk, told before it is started: a start of the store notes where the count stood.
import type { Store } from '../store/store.ts';
import { COUNTER, OUTBOX_ENTRIES } from './outbox.ts';
import { parseEntryKey } from './outbox-key.ts';

export async function newestEnlisted(store: Store): Promise<number> {
  return (await store.get(COUNTER, '')) ?? 0;
}

/** The oldest sequence that is held of each incarnation. Reads every entry. */
export async function oldestHeld(store: Store): Promise<ReadonlyMap<string, number>> {
  const oldest = new Map<string, number>();
  for await (const [key, { incarnation }] of store.all(OUTBOX_ENTRIES)) {
    const { sequence } = parseEntryKey(key);
    oldest.set(incarnation, Math.min(sequence, oldest.get(incarnation) ?? sequence));
  }
  return oldest;
}
