// Of a property that is marked so, only the newest waiting change of a chain needs to be kept: older ones give way when room is
// short, and a gap says how many. Pure.
import type { Change, Fact, GapChange } from '../../model/fact.ts';
import { gapIn, isGap, mergeGaps } from './gap-marker.ts';
import type { WeighedEntry } from './stored-entry.ts';

export interface Rewrite<Entry extends WeighedEntry = WeighedEntry> {
  readonly entry: Entry;
  /** What is left of its fact; `undefined` when nothing is. */
  readonly left: Fact | undefined;
}

export interface Compacted<Entry extends WeighedEntry> {
  readonly rewrites: readonly Rewrite<Entry>[];
  /** How many changes were removed. */
  readonly lost: number;
}

/** What may be left out of entries of one chain, oldest first, because a newer one of them says it too. */
export function compact<Entry extends WeighedEntry>(entries: readonly Entry[]): Compacted<Entry> {
  const kept = withoutSuperseded(entries);
  const gaps = kept.flatMap(({ entry, changes, removed }) => [
    ...changes.filter(isCompactedGap),
    ...(removed > 0 ? [gapIn(entry, 'compacted', removed)] : []),
  ]);
  const lost = kept.reduce((sum, { removed }) => sum + removed, 0);
  // The gap travels at the place of the newest that it concerns.
  const place = kept.findLast(({ removed, changes }) => removed > 0 || changes.some(isCompactedGap));
  if (lost === 0 || place === undefined) return { rewrites: [], lost: 0 };
  const rewrites: Rewrite<Entry>[] = [];
  for (const { entry, changes, removed } of kept) {
    if (removed === 0 && !changes.some(isCompactedGap)) continue;
    const others = changes.filter((change) => !isCompactedGap(change));
    const left = entry === place.entry ? [...others, ...mergeGaps(gaps)] : others;
    rewrites.push({ entry, left: left.length === 0 ? undefined : { ...entry.fact, changes: left } });
  }
  return { rewrites, lost };
}

/** Whether an entry may still give way to a newer one, or its gap be carried on by one: it must be looked at again with what follows. */
export function mayGiveWay(fact: Fact): boolean {
  return fact.changes.some((change) => propertyOf(fact, change) !== undefined || isCompactedGap(change));
}

interface Kept<Entry> {
  readonly entry: Entry;
  readonly changes: readonly Change[];
  readonly removed: number;
}

function withoutSuperseded<Entry extends WeighedEntry>(entries: readonly Entry[]): readonly Kept<Entry>[] {
  const newer = new Set<string>();
  return entries
    .toReversed()
    .map((entry): Kept<Entry> => {
      const changes = entry.fact.changes.filter((change) => {
        const property = propertyOf(entry.fact, change);
        return property === undefined || !newer.has(property);
      });
      for (const change of changes) newer.add(propertyOf(entry.fact, change) ?? '');
      return { entry, changes, removed: entry.fact.changes.length - changes.length };
    })
    .toReversed();
}

const isCompactedGap = (change: Change): change is GapChange => isGap(change) && change.reason === 'compacted';

/**
 * What a compactable change tells of; of two that tell the same, the newer is enough. A desired value seen is not one reported, and
 * a device that was made anew under the same name is another.
 */
function propertyOf({ uid = '' }: Fact, change: Change): string | undefined {
  if (change.kind !== 'reported' && change.kind !== 'observed') return undefined;
  return change.isCompactable === true ? `${uid}/${change.kind}/${change.property}` : undefined;
}
