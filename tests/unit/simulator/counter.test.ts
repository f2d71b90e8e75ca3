import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INITIAL_COUNTER, stepped, switched, switchNamed, type Counter } from '../../../simulator/counter/counter.ts';

type Move = 'ON' | 'OFF' | 'step';
const moves = fc.array(fc.constantFrom<Move>('ON', 'OFF', 'step'), { maxLength: 100 });
const moved = (counter: Counter, move: Move): Counter => (move === 'step' ? stepped(counter) : switched(counter, move));

void test('a counter that is on counts one per step, one that is off stands still', () => {
  fc.assert(
    fc.property(moves, (list) => {
      let counter = INITIAL_COUNTER;
      for (const move of list) {
        const before = counter;
        counter = moved(counter, move);
        if (move !== 'step') continue;
        assert.equal(counter.count, before.status === 'ON' ? before.count + 1 : before.count);
        assert.equal(counter.status, before.status);
      }
    }),
  );
});

void test('the count is the number of steps since the counter was last switched on', () => {
  fc.assert(
    fc.property(moves, fc.nat({ max: 50 }), (before, steps) => {
      let counter = switched(before.reduce(moved, INITIAL_COUNTER), 'OFF');
      counter = switched(counter, 'ON');
      for (let n = 0; n < steps; n += 1) counter = stepped(counter);

      assert.deepEqual(counter, { status: 'ON', count: steps });
      assert.deepEqual(switched(counter, 'OFF'), { status: 'OFF', count: steps });
    }),
  );
});

void test('switching to what it is changes nothing', () => {
  fc.assert(
    fc.property(moves, (list) => {
      const counter = list.reduce(moved, INITIAL_COUNTER);

      assert.equal(switched(counter, counter.status), counter);
    }),
  );
});

void test('a switch is named in any case, and other words name none', () => {
  assert.deepEqual(['ON', 'off', ' On '].map(switchNamed), ['ON', 'OFF', 'ON']);
  assert.deepEqual(['', 'PAUSED', '1', 'ONN'].map(switchNamed), [undefined, undefined, undefined, undefined]);
});
