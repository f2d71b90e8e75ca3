import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  FAULTS,
  isClean,
  reportLines,
  saidTo,
  sumOf,
  type ChaosReport,
} from '../../../../../src/cli/chaos/chaos-report.ts';
import type { Findings, Published } from '../../../../../src/cli/chaos/device-tally.ts';
import { NumberSet } from '../../../../../src/cli/chaos/number-set.ts';

const CLEAN: ChaosReport = {
  ...{
    acknowledged: 990,
    leastAcknowledged: 90,
    published: 1000,
    rate: 100,
    seed: 7,
    kills: { edge: 1, hub: 2, nats: 3 },
  },
  ...{ lost: 0, doubled: 0, disordered: 0, invented: 0, gaps: 0, silent: 0 },
  ...{ stale: 0, unwatched: 0, backwards: 0, crashes: 0 },
  ...{ unacknowledgedStored: 5, partitions: 6, droppedAcks: 7, seconds: 12, drainSeconds: 2, examples: [] },
};

void test('one fault of any kind is enough to fail', () => {
  assert.ok(isClean(CLEAN));
  for (const fault of FAULTS) {
    assert.ok(!isClean({ ...CLEAN, [fault]: 1 }), fault);
    assert.ok(
      reportLines({ ...CLEAN, [fault]: 31 }).some((line) => line.startsWith(`  ${fault} `) && line.includes(' 31 ')),
    );
  }
});

void test('everything that counts something wrong is a fault', () => {
  const good = ['acknowledged', 'leastAcknowledged', 'published', 'rate', 'seed', 'kills', 'partitions', 'droppedAcks'];
  const neutral = new Set([...good, 'unacknowledgedStored', 'seconds', 'drainSeconds', 'examples']);

  assert.deepEqual(
    Object.keys(CLEAN).filter((key) => !neutral.has(key)),
    [...FAULTS],
  );
});

void test('a device of which nothing was acknowledged is silent, and the least that any was told is named', () => {
  const told = (count: number): Published => {
    const acknowledged = new NumberSet();
    for (let number = 1; number <= count; number += 1) acknowledged.add(number);
    return { acknowledged, newest: 9 };
  };
  const of = (...numbers: readonly number[]): ReturnType<typeof saidTo> =>
    saidTo(new Map(numbers.map((count, place) => [`pump-${place}`, told(count)])));

  assert.deepEqual(of(7, 3, 5), { acknowledged: 15, leastAcknowledged: 3, silent: 0 });
  assert.deepEqual(of(7, 0, 5), { acknowledged: 12, leastAcknowledged: 0, silent: 1 });
  assert.deepEqual(of(0, 0), { acknowledged: 0, leastAcknowledged: 0, silent: 2 });
});

void test('devices are added up, and examples name theirs', () => {
  const one: Findings = {
    ...{ lost: 1, doubled: 2, disordered: 3, invented: 4, gaps: 5, unacknowledgedStored: 6 },
    examples: ['9 comes after 10'],
  };

  assert.deepEqual(
    sumOf(
      new Map([
        ['a', one],
        ['b', one],
      ]),
    ),
    {
      ...{ lost: 2, doubled: 4, disordered: 6, invented: 8, gaps: 10, unacknowledgedStored: 12 },
      examples: ['a: 9 comes after 10', 'b: 9 comes after 10'],
    },
  );
});
