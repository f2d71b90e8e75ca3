// When what a fact tells of happened, where its stamps were made before the time was known (ADR 0038). Pure.
import { isTimeKnown } from '../../kit/known-time.ts';
import type { TimeOf } from '../../kit/stamp-clock.ts';
import type { Change, Fact } from '../../model/fact.ts';

/** The same fact where all its times are known. */
export function withTimes(fact: Fact, timeOf: TimeOf): Fact {
  if (isTimeKnown(fact.at) && fact.changes.every((change) => stampsIn(change).every(isTimeKnown))) return fact;
  return { ...fact, at: timeOf(fact.at), changes: fact.changes.map((change) => changeWithTimes(change, timeOf)) };
}

const NONE: readonly number[] = [];

/** What the device's own clock said is not among them: it is the device's word. */
function stampsIn(change: Change): readonly number[] {
  if (change.kind === 'gap' || change.kind === 'rejected') return [change.since, change.until];
  if (change.kind === 'state') return change.seenAt === undefined ? NONE : [change.seenAt];
  return change.kind === 'override' ? change.standing.map(({ at }) => at) : NONE;
}

function changeWithTimes(change: Change, timeOf: TimeOf): Change {
  if (change.kind === 'gap' || change.kind === 'rejected')
    return { ...change, since: timeOf(change.since), until: timeOf(change.until) };
  if (change.kind === 'state')
    return change.seenAt === undefined ? change : { ...change, seenAt: timeOf(change.seenAt) };
  if (change.kind !== 'override') return change;
  return { ...change, standing: change.standing.map((wish) => ({ ...wish, at: timeOf(wish.at) })) };
}
