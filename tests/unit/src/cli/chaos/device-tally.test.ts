import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DeviceTally, type Findings, type Published } from '../../../../../src/cli/chaos/device-tally.ts';
import { NumberSet } from '../../../../../src/cli/chaos/number-set.ts';

function published(newest: number, acknowledged: Iterable<number>): Published {
  const set = new NumberSet();
  for (const number of acknowledged) set.add(number);
  return { newest, acknowledged: set };
}

function findingsOf(stream: readonly number[], known: Published): Findings {
  const tally = new DeviceTally();
  for (const number of stream) tally.see(number, known);
  return tally.findings(known);
}

const counts = ({ examples: _, ...rest }: Findings): Omit<Findings, 'examples'> => rest;
const CLEAN = { lost: 0, doubled: 0, disordered: 0, invented: 0, gaps: 0, unacknowledgedStored: 0 };
const upTo = (newest: number): number[] => Array.from({ length: newest }, (_, place) => place + 1);

void test('a stream that holds what was acknowledged once and in order has nothing to say', () => {
  assert.deepEqual(findingsOf(upTo(100), published(100, upTo(100))), { ...CLEAN, examples: [] });
});

void test('a number that was stored though its acknowledgement was lost is counted, and no fault', () => {
  assert.deepEqual(counts(findingsOf([1, 2, 3], published(5, [1, 3]))), { ...CLEAN, unacknowledgedStored: 1 });
});

void test('what is lost, doubled, out of order or invented is named', () => {
  const { examples, ...found } = findingsOf([1, 3, 2, 3, 9], published(5, [1, 2, 4]));

  assert.deepEqual(found, { lost: 1, doubled: 1, disordered: 1, invented: 1, gaps: 0, unacknowledgedStored: 1 });
  assert.deepEqual(examples, [
    '4 was acknowledged and is not there',
    '2 comes after 3',
    '3 is there again, after 3',
    '9 was never published',
  ]);
});

void test('what no number of a device can be is invented', () => {
  const odd = [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 4];

  assert.equal(findingsOf(odd, published(3, [])).invented, odd.length);
});

void test('any stream is judged as the definitions say', () => {
  const numbers = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 40 });
  fc.assert(
    fc.property(numbers, numbers, (stream, acknowledged) => {
      const firsts = stream.filter((number, place) => stream.indexOf(number) === place);
      const expected = {
        lost: [...new Set(acknowledged)].filter((number) => !stream.includes(number)).length,
        doubled: stream.length - firsts.length,
        disordered: firsts.filter((number, place) => firsts.slice(0, place).some((before) => before > number)).length,
        invented: 0,
        gaps: 0,
        unacknowledgedStored: firsts.filter((number) => !acknowledged.includes(number)).length,
      };
      assert.deepEqual(counts(findingsOf(stream, published(30, acknowledged))), expected);
    }),
    { numRuns: 1000 },
  );
});

void test('what a gap marker names where it stands is not lost, and no more than it names', () => {
  const known = published(10, upTo(10));
  const withGap = (before: readonly number[], changes: number, after: readonly number[]): Findings => {
    const tally = new DeviceTally();
    for (const number of before) tally.see(number, known);
    // Published again because its acknowledgement was lost.
    for (const id of ['i.4.0', 'i.4.0']) tally.seeGap(id, changes);
    for (const number of after) tally.see(number, known);
    return tally.findings(known);
  };

  assert.deepEqual(counts(withGap([1, 2, 3], 2, [6, 7, 8, 9, 10])), { ...CLEAN, gaps: 2 });
  assert.deepEqual(counts(withGap([1, 2, 3], 2, [7, 8, 9, 10])), { ...CLEAN, gaps: 2, lost: 1 });
  assert.deepEqual(counts(withGap([1, 2, 3], 2, [4, 5, 6, 7, 8])), { ...CLEAN, gaps: 2, lost: 2 });
  assert.deepEqual(counts(withGap([], 7, [8, 9, 10])), { ...CLEAN, gaps: 7 });
  assert.deepEqual(counts(withGap(upTo(8), 2, [])), { ...CLEAN, gaps: 2 });
});

void test('a set of numbers holds what was added, in rising order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 5000 })), (numbers) => {
      const set = new NumberSet();
      const fresh = numbers.map((number) => set.add(number));
      const sorted = [...new Set(numbers)].sort((one, other) => one - other);
      assert.deepEqual([...set], sorted);
      assert.equal(set.size, sorted.length);
      assert.equal(set.greatest, sorted.at(-1) ?? 0);
      assert.deepEqual(
        fresh,
        numbers.map((number, place) => numbers.indexOf(number) === place),
      );
    }),
  );
});
