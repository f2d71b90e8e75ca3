import type { DesiredIndex } from '../../wire/desired.ts';

export interface IndexDiff {
  /** Keys whose value must be read: new, or held with other bytes. */
  readonly read: readonly string[];
  /** Keys held that the index does not name. */
  readonly unnamed: readonly string[];
}

/** What must be looked at so that this node holds what the index says. Pure. */
export function diffIndex(index: DesiredIndex, held: ReadonlyMap<string, string>): IndexDiff {
  const read = Object.entries(index.keys).filter(([key, fingerprint]) => held.get(key) !== fingerprint);
  const unnamed = [...held.keys()].filter((key) => !Object.hasOwn(index.keys, key));
  return { read: read.map(([key]) => key), unnamed };
}

/** The newest value of a key in the bucket: its place in the stream, and what it says. */
export interface Found {
  readonly revision: number;
  readonly fingerprint: string;
}

/**
 * Whether an index is older than the one that a node has reached. Its server lost the end of its store then, and with it objects
 * that are wanted still: it is not to be obeyed before a hub has said what is wanted now.
 */
export function isBehind(index: DesiredIndex, reached: Pick<DesiredIndex, 'bucket' | 'generation'>): boolean {
  return index.bucket === reached.bucket && index.generation < reached.generation;
}

/** Whether a bucket has lost what was read of it: its newest entry of the key and its index are both older. */
export function isLost(held: number, { newest, index }: { readonly newest: number; readonly index: number }): boolean {
  return newest < held && index < held;
}

/**
 * Whether what was found under a key is what the index means by it. A value that was written after the index counts too: the
 * index that names it is on its way.
 */
export function isMeant(fingerprint: string | undefined, found: Found | undefined, indexRevision: number): boolean {
  return found !== undefined && (found.fingerprint === fingerprint || found.revision > indexRevision);
}
