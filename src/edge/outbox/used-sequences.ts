import type { Store } from '../store/store.ts';
import { COUNTER, OUTBOX_ENTRIES, POSITIONS } from './outbox.ts';
import { parseEntryKey } from './outbox-key.ts';

/** More than a store can have written into the files that it may lose. */
const SAFE_DISTANCE = 1_000_000_000;

/**
 * After a repair: no sequence that may have been used is used again, also where its entry or the counter itself was lost. The
 * stream would take a new fact under an old sequence for one that it has.
 */
export async function skipUsedSequences(store: Store): Promise<void> {
  let newest = (await store.get(COUNTER, '')) ?? 0;
  for await (const key of store.keys(OUTBOX_ENTRIES)) newest = Math.max(newest, parseEntryKey(key).sequence);
  for await (const [, { acknowledged }] of store.all(POSITIONS)) newest = Math.max(newest, acknowledged);
  await store.commit((tx) => tx.put(COUNTER, '', newest + SAFE_DISTANCE));
}
