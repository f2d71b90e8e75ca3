import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RejectTally, TOLD_EVERY } from '../../../../../src/edge/ingress/reject-tally.ts';

const BOILER = { namespace: 'plant', name: 'boiler' };
const at = (monotonic: number) => ({ monotonic, wall: 1_000_000 + monotonic });

void test('the first reject is due at once, those of the next minute together when it is over', () => {
  const tally = new RejectTally();
  tally.add(BOILER, 'first', at(5));

  const told = { kind: 'rejected', count: 1, reason: 'first', since: 1_000_005, until: 1_000_005 };
  assert.deepEqual(tally.take(10), [{ device: BOILER, change: told }]);
  tally.add(BOILER, 'second', at(20));
  tally.add(BOILER, 'third', at(30));
  assert.deepEqual(tally.take(9 + TOLD_EVERY), []);
  const later = { kind: 'rejected', count: 2, reason: 'third', since: 1_000_020, until: 1_000_030 };
  assert.deepEqual(tally.take(10 + TOLD_EVERY), [{ device: BOILER, change: later }]);
  assert.deepEqual(tally.take(10 + 5 * TOLD_EVERY), []);
});

void test('whatever comes when, and whatever cannot be told at first, every reject is told once, and seldom', () => {
  const device = fc.constantFrom('a', 'b').map((name) => ({ namespace: 'd', name }));
  const step = fc.oneof(
    fc.record({ add: device }),
    fc.record({ take: fc.boolean() }),
    fc.record({ pass: fc.nat({ max: TOLD_EVERY }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const tally = new RejectTally();
      const told = new Map<string, { at: number; count: number }[]>();
      const added = new Map<string, number>();
      let now = 0;
      const tell = (isTaken: boolean, moment: number): void => {
        for (const untold of tally.take(moment)) {
          const { name } = untold.device;
          if (isTaken) told.set(name, [...(told.get(name) ?? []), { at: moment, count: untold.change.count }]);
          else tally.putBack(untold);
          assert.ok(untold.change.since <= untold.change.until);
        }
      };
      for (const one of steps) {
        if ('pass' in one) now += one.pass;
        else if ('take' in one) tell(one.take, now);
        else {
          tally.add(one.add, 'r', at(now));
          added.set(one.add.name, (added.get(one.add.name) ?? 0) + 1);
        }
      }
      for (const facts of told.values())
        for (const [place, { at: moment }] of facts.entries())
          assert.ok(place === 0 || moment - (facts[place - 1]?.at ?? 0) >= TOLD_EVERY);
      tell(true, Number.POSITIVE_INFINITY);
      for (const [name, count] of added)
        assert.equal(
          told.get(name)?.reduce((sum, fact) => sum + fact.count, 0),
          count,
        );
    }),
  );
});

void test('a reason of any length stays short', () => {
  const tally = new RejectTally();
  tally.add(BOILER, 'x'.repeat(10_000), at(0));

  assert.equal(tally.take(0)[0]?.change.reason.length, 400);
});
