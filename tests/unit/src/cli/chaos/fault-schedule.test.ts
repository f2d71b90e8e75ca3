import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { movesOf, textOf, type FaultPlan } from '../../../../../src/cli/chaos/fault-schedule.ts';
import { ms, seconds } from '../../../../../src/kit/units.ts';

const PLAN: FaultPlan = {
  kill: ['edge', 'hub', 'nats'],
  every: seconds(2),
  lasting: seconds(600),
  partition: seconds(10),
  edges: 3,
};
const kills = (plan: FaultPlan, seed: number) => movesOf(plan, seed).filter(({ kind }) => kind === 'kill');
const cuts = (plan: FaultPlan, seed: number) => movesOf(plan, seed).filter(({ kind }) => kind === 'cut');

void test('the same seed gives the same moves, and another one others', () => {
  assert.deepEqual(movesOf(PLAN, 7), movesOf(PLAN, 7));
  assert.notDeepEqual(movesOf(PLAN, 7), movesOf(PLAN, 8));
});

void test('cuts come and go without changing what is killed', () => {
  assert.deepEqual(kills({ ...PLAN, partition: undefined }, 7), kills(PLAN, 7));
});

void test('one of the named parts is killed each time, and all of them in the end', () => {
  const found = kills(PLAN, 1);

  assert.equal(found.length, 299);
  assert.deepEqual(
    found.map(({ at }) => at),
    Array.from({ length: 299 }, (_, place) => (place + 1) * 2000),
  );
  const texts = new Set(found.map((move) => textOf(move).replace(/,.*/, '')));
  assert.deepEqual([...texts].sort(), ['kill edge-1', 'kill edge-2', 'kill edge-3', 'kill hub', 'kill nats-server']);
  assert.deepEqual(kills({ ...PLAN, kill: [] }, 1), []);
});

void test('moves are in order, within the time, and cuts of links do not overlap', () => {
  const plans = fc.record({
    kill: fc.subarray<'edge' | 'hub' | 'nats'>(['edge', 'hub', 'nats']),
    every: fc.integer({ min: 200, max: 20_000 }).map(ms),
    lasting: fc.integer({ min: 1000, max: 200_000 }).map(ms),
    partition: fc.option(fc.integer({ min: 1000, max: 30_000 }).map(ms), { nil: undefined }),
    edges: fc.integer({ min: 1, max: 5 }),
  });
  fc.assert(
    fc.property(plans, fc.integer(), (plan, seed) => {
      const moves = movesOf(plan, seed);
      for (const [place, move] of moves.entries()) {
        assert.ok(move.at >= (moves[place - 1]?.at ?? 0) && move.at < plan.lasting);
        assert.ok(move.edge >= 0 && move.edge < plan.edges);
      }
      let free = 0;
      for (const cut of moves.filter((move) => move.kind === 'cut')) {
        assert.ok(cut.at >= free && cut.at + cut.lasting <= plan.lasting);
        free = cut.at + cut.lasting;
      }
    }),
  );
});

void test('links are cut in all forms', () => {
  const forms = new Set(cuts(PLAN, 3).map((move) => (move.kind === 'cut' ? move.form : '')));

  assert.deepEqual([...forms].sort(), ['closed', 'late', 'silent']);
});
