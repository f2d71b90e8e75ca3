import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isClean, reportLines, sumOf, type ChaosReport } from '../../../../../src/cli/chaos/chaos-report.ts';
import type { Findings } from '../../../../../src/cli/chaos/device-tally.ts';

const CLEAN: ChaosReport = {
  ...{ acknowledged: 990, published: 1000, rate: 100, seed: 7, kills: { edge: 1, hub: 2, nats: 3 } },
  ...{ lost: 0, doubled: 0, disordered: 0, invented: 0, stale: 0, backwards: 0, crashes: 0 },
  ...{ gaps: 4, unacknowledgedStored: 5, partitions: 6, droppedAcks: 7, seconds: 12, drainSeconds: 2, examples: [] },
};

void test('one fault of any kind is enough to fail', () => {
  assert.ok(isClean(CLEAN));
  for (const fault of ['lost', 'doubled', 'disordered', 'invented', 'stale', 'backwards', 'crashes'] as const) {
    assert.ok(!isClean({ ...CLEAN, [fault]: 1 }), fault);
    assert.ok(
      reportLines({ ...CLEAN, [fault]: 31 }).some((line) => line.startsWith(`  ${fault} `) && line.includes(' 31 ')),
    );
  }
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
