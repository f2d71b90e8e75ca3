import type { DesiredIndex } from '../../wire/desired.ts';

export interface IndexDiff {
  /** Keys whose value must be read: new, or at another revision than held. */
  readonly read: readonly string[];
  /** Keys held that the index does not name any more. */
  readonly remove: readonly string[];
}

/** What must happen so that this node holds what the index says. Pure. Revisions of another bucket mean nothing. */
export function diffIndex(
  index: DesiredIndex,
  held: { readonly bucket: string; readonly revisions: ReadonlyMap<string, number> },
): IndexDiff {
  const isSameBucket = held.bucket === index.bucket;
  const read = Object.entries(index.keys).filter(
    ([key, revision]) => !isSameBucket || held.revisions.get(key) !== revision,
  );
  const remove = [...held.revisions.keys()].filter((key) => !Object.hasOwn(index.keys, key));
  return { read: read.map(([key]) => key), remove };
}
