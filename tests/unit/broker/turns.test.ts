import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from '../../../broker/turns.ts';

void test('turns of one client are concluded in the order in which they were taken, each as soon as it can be', () => {
  const order = fc
    .integer({ min: 1, max: 12 })
    .chain((size) => fc.shuffledSubarray([...Array(size).keys()], { minLength: size }));
  fc.assert(
    fc.property(order, (decided) => {
      const turns = new Turns();
      const client = {};
      const concluded: number[] = [];
      const taken = decided.map(() => turns.take(client));
      const known = new Set<number>();
      for (const turn of decided) {
        known.add(turn);
        taken[turn]?.(() => concluded.push(turn));
        let due = 0;
        while (known.has(due)) due += 1;
        assert.deepEqual(concluded, [...Array(due).keys()]);
      }
      assert.equal(turns.isOpen(client), false);
    }),
  );
});

void test('one client does not wait for another', () => {
  const turns = new Turns();
  const [slow, quick] = [{}, {}];
  turns.take(slow);
  const concluded: string[] = [];

  turns.take(quick)(() => concluded.push('quick'));

  assert.deepEqual([concluded, turns.isOpen(slow), turns.isOpen(quick)], [['quick'], true, false]);
});
