import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from '../../../../../src/edge/uplink/turns.ts';

const aTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

void test('a few facts are taken up at once', () => {
  const turns = new Turns();

  assert.equal(turns.take(1), undefined);
  assert.equal(turns.take(50), undefined);
});

void test('a flood is spread over the turns of the event loop, in the order in which it came', async () => {
  const turns = new Turns();
  const taken: number[] = [];
  const perTurn: number[] = [];

  const flood = Promise.all(
    Array.from({ length: 10 }, async (_, place) => {
      await turns.take(100);
      taken.push(place);
    }),
  );
  while (taken.length < 10) {
    const before = taken.length;
    await aTurn();
    perTurn.push(taken.length - before);
  }
  await flood;

  assert.deepEqual(taken, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.ok(Math.max(...perTurn) <= 2, `so many in one turn: ${perTurn.join()}`);
});
