// What a node should hold against what the bucket holds → puts, the next index, removals. Pure.
import { decodeDefinition, type DesiredIndex } from '../../wire/desired.ts';

/** `keep`: the object cannot be made at present; what was sent before stays, as long as it is about the same device and binding. */
export type Wanted =
  | { readonly kind: 'object'; readonly bytes: Uint8Array }
  | { readonly kind: 'keep'; readonly uid: string; readonly binding: number };

/** The newest entry of one key; `bytes` is undefined where that is a deletion mark. */
export interface Held {
  readonly revision: number;
  readonly bytes: Uint8Array | undefined;
}

export interface Put {
  readonly key: string;
  readonly bytes: Uint8Array;
  /** The revision that the key has now. */
  readonly over: number;
}

export interface DesiredPlan {
  readonly puts: readonly Put[];
  /** Every key that the index will name. */
  readonly keys: readonly string[];
  /** Keys that hold an object nobody wants. */
  readonly removals: readonly string[];
}

export function planDesired(wanted: ReadonlyMap<string, Wanted>, held: ReadonlyMap<string, Held>): DesiredPlan {
  const puts: Put[] = [];
  const keys: string[] = [];
  for (const [key, want] of wanted) {
    const have = held.get(key);
    if (want.kind === 'keep') {
      if (holdsSame(have, want)) keys.push(key);
      continue;
    }
    keys.push(key);
    if (have?.bytes === undefined || Buffer.compare(have.bytes, want.bytes) !== 0)
      puts.push({ key, bytes: want.bytes, over: have?.revision ?? 0 });
  }
  const staying = new Set(keys);
  const removals = [...held].filter(([key, { bytes }]) => bytes !== undefined && !staying.has(key)).map(([key]) => key);
  return { puts, keys: keys.sort(), removals };
}

function holdsSame(have: Held | undefined, want: { readonly uid: string; readonly binding: number }): boolean {
  const definition = have?.bytes === undefined ? undefined : decodeDefinition(have.bytes);
  return definition?.uid === want.uid && definition.binding === want.binding;
}

/**
 * The index for these fingerprints, or `unchanged`. A first index is written also when it is empty: it tells a node that it is up to
 * date. `known` is the newest generation that this hub has seen: an index behind it is what a server is left with that lost the
 * end of its store, and nodes that reached a newer one wait for the next.
 */
export function nextIndex(
  bucket: string,
  fingerprints: ReadonlyMap<string, string>,
  current: DesiredIndex | undefined,
  known = 0,
): DesiredIndex | 'unchanged' {
  const keys = Object.fromEntries([...fingerprints].sort(([a], [b]) => (a < b ? -1 : 1)));
  const isNewest = current?.bucket === bucket && current.generation >= known;
  if (isNewest && isSame(current.keys, fingerprints)) return 'unchanged';
  return { bucket, generation: Math.max(current?.generation ?? 0, known) + 1, keys };
}

function isSame(keys: Readonly<Record<string, string>>, fingerprints: ReadonlyMap<string, string>): boolean {
  const before = Object.entries(keys);
  return before.length === fingerprints.size && before.every(([key, print]) => fingerprints.get(key) === print);
}

const GUARDED_REMOVALS = 10;

/** True when a step would take most of its objects from a node: seldom meant, so it needs a second look. */
export function isMassRemoval(current: DesiredIndex | undefined, keys: readonly string[]): boolean {
  const before = Object.keys(current?.keys ?? {});
  const staying = new Set(keys);
  const removed = before.filter((key) => !staying.has(key)).length;
  return removed > GUARDED_REMOVALS && removed > before.length / 2;
}
