// What stands in a chain in place of facts that were dropped: a fact of its own, under the sequence of the last one it stands for,
// which names exactly what is missing. A marker that is dropped with its neighbours is absorbed by the next. Pure.
import type { Change, Fact, GapChange } from '../../model/fact.ts';
import type { WeighedEntry } from './stored-entry.ts';

export type GapReason = GapChange['reason'];

export const isGap = (change: Change): change is GapChange => change.kind === 'gap';

/** How many changes of a fact say something of the device. */
export function changesIn({ changes }: Fact): number {
  return changes.reduce((count, change) => (isGap(change) ? count : count + 1), 0);
}

/** One gap for each reason, naming everything that the given ones name. */
export function mergeGaps(gaps: readonly GapChange[]): readonly GapChange[] {
  const merged = new Map<GapReason, GapChange>();
  for (const gap of gaps) {
    const other = merged.get(gap.reason);
    merged.set(gap.reason, other === undefined ? gap : bothOf(other, gap));
  }
  return [...merged.values()];
}

function bothOf(one: GapChange, other: GapChange): GapChange {
  return {
    kind: 'gap',
    reason: one.reason,
    changes: one.changes + other.changes,
    from: Math.min(one.from, other.from),
    through: Math.max(one.through, other.through),
    since: Math.min(one.since, other.since),
    until: Math.max(one.until, other.until),
  };
}

/** A gap of some changes of one entry. */
export function gapIn({ sequence, fact }: WeighedEntry, reason: GapReason, changes: number): GapChange {
  return { kind: 'gap', reason, changes, from: sequence, through: sequence, since: fact.at, until: fact.at };
}

/** What stands for entries of one chain, oldest first, and how many changes it newly names. Undefined for none. */
export function markerFor(
  entries: readonly WeighedEntry[],
  reason: GapReason,
): { readonly fact: Fact; readonly lost: number } | undefined {
  const last = entries.at(-1);
  if (last === undefined) return undefined;
  const gaps: GapChange[] = [];
  let lost = 0;
  for (const entry of entries) {
    gaps.push(...entry.fact.changes.filter(isGap));
    const changes = changesIn(entry.fact);
    if (changes > 0) gaps.push(gapIn(entry, reason, changes));
    lost += changes;
  }
  const { fact } = last;
  const about = fact.device === undefined ? {} : { device: fact.device, uid: fact.uid, binding: fact.binding };
  return { fact: { ...about, at: fact.at, changes: mergeGaps(gaps) }, lost };
}
