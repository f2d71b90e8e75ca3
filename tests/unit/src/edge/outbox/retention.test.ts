// What goes when room is short, decided over plain lists.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compact } from '../../../../../src/edge/outbox/compaction.ts';
import { changesIn, isGap, markerFor } from '../../../../../src/edge/outbox/gap-marker.ts';
import { oldestFirst } from '../../../../../src/edge/outbox/oldest-first.ts';
import { clearThrough, Cut, markerBytes } from '../../../../../src/edge/outbox/retention.ts';
import type { WeighedEntry } from '../../../../../src/edge/outbox/stored-entry.ts';
import type { Change, GapChange } from '../../../../../src/model/fact.ts';

const AT = 1_000_000;

const entryOf = (sequence: number, changes: readonly Change[], uid = 'u'): WeighedEntry => ({
  ...{ sequence, incarnation: 'i', bytes: 100, isCompactable: false },
  fact: { device: { namespace: 'd', name: 'a' }, uid, binding: 1, at: AT + sequence, changes },
});

const change = fc.oneof(
  fc
    .record({ property: fc.constantFrom('p', 'q'), n: fc.nat(), isLast: fc.boolean(), isObserved: fc.boolean() })
    .map(({ property, n, isLast, isObserved }): Change => ({
      ...{ kind: isObserved ? 'observed' : 'reported', property, type: 'INT', value: String(n), n },
      ...(isLast ? { isCompactable: true as const } : {}),
    })),
  fc.nat().map((n): Change => ({ kind: 'state', state: 'online', n })),
);
const entries = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.array(change, { minLength: 1, maxLength: 3 })), {
    maxLength: 20,
    size: 'max',
  })
  .map((list) => {
    let sequence = 0;
    return list.map(([step, changes]) => entryOf((sequence += step), changes));
  });

const gapsOf = (changes: readonly Change[]): readonly GapChange[] => changes.filter(isGap);
const total = (gaps: readonly GapChange[]): number => gaps.reduce((sum, { changes }) => sum + changes, 0);

void test('a marker names exactly what it stands for, in however many steps it grew', () => {
  fc.assert(
    fc.property(entries, fc.integer({ min: 1, max: 5 }), (all, most) => {
      fc.pre(all.length > 0);
      let left = all;
      let lost = 0;
      for (let rounds = 0; rounds < 50 && (left.length > 1 || rounds === 0); rounds += 1) {
        const taken = left.slice(0, most + 1);
        const marker = markerFor(taken, 'bytes')!;
        lost += marker.lost;
        left = [{ ...taken.at(-1)!, fact: marker.fact }, ...left.slice(most + 1)];
      }
      const [gap, ...others] = left[0]!.fact.changes as GapChange[];
      const count = all.reduce((sum, { fact }) => sum + changesIn(fact), 0);
      const [first, last] = [all[0]!, all.at(-1)!];
      assert.deepEqual(others, []);
      assert.deepEqual(gap, {
        ...{ kind: 'gap', reason: 'bytes', changes: count, from: first.sequence, through: last.sequence },
        ...{ since: first.fact.at, until: last.fact.at },
      });
      assert.equal(lost, count);
    }),
    { numRuns: 1000 },
  );
});

void test('a marker keeps what earlier ones named for another reason apart', () => {
  const old = markerFor([entryOf(1, [{ kind: 'state', state: 'on', n: 1 }])], 'age')!;
  const marker = markerFor(
    [{ ...entryOf(1, []), fact: old.fact }, entryOf(5, [{ kind: 'state', state: 'off', n: 2 }])],
    'bytes',
  )!;

  assert.deepEqual(
    gapsOf(marker.fact.changes).map(({ reason, changes, from, through }) => [reason, changes, from, through]),
    [
      ['age', 1, 1, 1],
      ['bytes', 1, 5, 5],
    ],
  );
  assert.equal(marker.lost, 1);
});

const keyOf = (of: Change): string | undefined =>
  (of.kind === 'reported' || of.kind === 'observed') && of.isCompactable ? `${of.kind} ${of.property}` : undefined;

/** What `compact` made of the entries. */
function compacted(all: readonly WeighedEntry[]): WeighedEntry[] {
  const rewritten = new Map(compact(all).rewrites.map(({ entry, left }) => [entry.sequence, left] as const));
  return all.flatMap((entry) => {
    if (!rewritten.has(entry.sequence)) return [entry];
    const fact = rewritten.get(entry.sequence);
    return fact === undefined ? [] : [{ ...entry, fact }];
  });
}

void test('compaction takes what a newer change of the same property stands for, nothing else, and a gap counts it', () => {
  fc.assert(
    fc.property(entries, (all) => {
      const before = all.flatMap(({ fact }) => fact.changes);
      const after = compacted(all).flatMap(({ fact }) => fact.changes);
      const expected = before.filter((one) => {
        const key = keyOf(one);
        const last = all.findLast(({ fact }) => fact.changes.some((other) => keyOf(other) === key));
        return key === undefined || last!.fact.changes.includes(one);
      });
      assert.deepEqual(
        after.filter((one) => !isGap(one)),
        expected,
      );
      assert.equal(total(gapsOf(after)), before.length - expected.length);
      assert.equal(compact(all).lost, before.length - expected.length);
      assert.ok(gapsOf(after).length <= 1);
    }),
    { numRuns: 1000 },
  );
});

void test('a change of another device that had the same name before stands for nothing', () => {
  const changes = [{ kind: 'reported', property: 'p', type: 'INT', value: '1', n: 1, isCompactable: true }] as const;
  const [first, second] = [entryOf(1, changes), entryOf(2, changes)];

  assert.equal(compact([first, second]).lost, 1);
  assert.equal(compact([first, entryOf(2, changes, 'made anew')]).lost, 0);
});

void test('compacted in two stretches the result is the same as in one', () => {
  fc.assert(
    fc.property(entries, fc.nat({ max: 20 }), (all, cut) => {
      const inOne = compacted(all);
      const inTwo = compacted([...compacted(all.slice(0, cut)), ...all.slice(cut)]);
      assert.deepEqual(
        inTwo.flatMap(({ fact }) => fact.changes.filter((one) => !isGap(one))),
        inOne.flatMap(({ fact }) => fact.changes.filter((one) => !isGap(one))),
      );
      assert.deepEqual(
        inTwo.flatMap(({ fact }) => gapsOf(fact.changes)),
        inOne.flatMap(({ fact }) => gapsOf(fact.changes)),
      );
    }),
    { numRuns: 1000 },
  );
});

const chains = fc.array(fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 20, size: 'max' }), {
  maxLength: 5,
  size: 'max',
});

void test('entries of many chains are walked oldest first, each once, holding no more than a page of each', async () => {
  await fc.assert(
    fc.asyncProperty(chains, fc.integer({ min: 1, max: 4 }), async (lists, page) => {
      const stored = new Map(
        lists.map((list, name) => [
          `c${name}`,
          list.map((n) => ({ sequence: n * 10 + name })).sort((a, b) => a.sequence - b.sequence),
        ]),
      );
      const walked: string[] = [];
      const read = (chain: string, after: number) => {
        const rest = stored.get(chain)!.filter(({ sequence }) => sequence > after);
        return Promise.resolve({ entries: rest.slice(0, page), isLast: rest.length <= page });
      };
      for await (const placed of oldestFirst(
        [...stored.keys()].map((chain) => [chain, 0] as const),
        read,
      )) {
        assert.ok(placed.length <= page * lists.length);
        walked.push(...placed.map(({ chain, entry }) => `${entry.sequence} ${chain}`));
      }
      const expected = [...stored].flatMap(([chain, list]) => list.map(({ sequence }) => [sequence, chain] as const));
      assert.deepEqual(
        walked,
        expected.sort(([a], [b]) => a - b).map(([sequence, chain]) => `${sequence} ${chain}`),
      );
    }),
    { numRuns: 500 },
  );
});

void test('a cut goes no further than it must, and counts what the markers take', () => {
  const entry = fc.record({ chain: fc.constantFrom('a', 'b', 'c'), bytes: fc.integer({ min: 50, max: 2000 }) });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 60, size: 'max' }), fc.integer({ min: 1, max: 20_000 }), (list, goal) => {
      const freedBy = (count: number): number => {
        const gone = new Map<string, number>();
        for (const { chain, bytes } of list.slice(0, count)) gone.set(chain, (gone.get(chain) ?? 0) + bytes);
        return [...gone].reduce((sum, [chain, bytes]) => sum + Math.max(0, bytes - markerBytes(chain)), 0);
      };
      const cut = new Cut(goal);
      list.some(({ chain, bytes }, place) => !cut.take(chain, { sequence: place + 1, bytes }));
      assert.equal(cut.freed, freedBy(cut.through));
      if (cut.through < list.length) assert.ok(cut.freed >= goal);
      if (cut.through > 0) assert.ok(freedBy(cut.through - 1) < goal, 'further than it must');
    }),
    { numRuns: 500 },
  );
});

void test('a marker never weighs more than was reckoned with, also under the longest names', () => {
  const long = 'n'.repeat(253);
  const chain = `skerry.${long}.up.telemetry.${long}.${long}`;
  const gap = { kind: 'gap', changes: 2 ** 52, from: 2 ** 52, through: 2 ** 52, since: 1.7e12, until: 1.7e12 } as const;
  const fact = {
    ...{ device: { namespace: long, name: long }, uid: 'u'.repeat(36), binding: 2 ** 52, at: 1.7e12 },
    changes: (['bytes', 'age', 'compacted'] as const).map((reason) => ({ ...gap, reason })),
  };

  assert.ok(JSON.stringify({ incarnation: 'i'.repeat(20), fact }).length + chain.length + 32 <= markerBytes(chain));
});

void test('acknowledged entries are cleared oldest first, until enough of them is', () => {
  const note = (at: number, bytes: number) => ({ sequence: at, since: at, at, bytes });
  const notes = [note(30, 100), note(10, 100), note(20, 100)];

  assert.deepEqual(
    [1, 100, 101, 1000].map((goal) => clearThrough(notes, goal)),
    [10, 10, 20, 30],
  );
  assert.equal(clearThrough([], 5), undefined);
});
