// back-off, deadline, sleep
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backoffDelay } from '../../../../src/kit/backoff.ts';
import { Deadline } from '../../../../src/kit/deadline.ts';
import { sleep } from '../../../../src/kit/sleep.ts';
import { ms, seconds } from '../../../../src/kit/units.ts';

void test('a back-off stays between half of the doubled wait and the most, whatever the attempt', () => {
  const plans = fc.record({ first: fc.integer({ min: 1, max: 10_000 }), factor: fc.integer({ min: 1, max: 100 }) });
  fc.assert(
    fc.property(plans, fc.nat({ max: 5000 }), fc.double({ min: 0, max: 1, noNaN: true }), (plan, attempt, chance) => {
      const most = plan.first * plan.factor;
      const wait = backoffDelay({ first: ms(plan.first), most: ms(most) }, attempt, () => chance);

      const full = Math.min(most, plan.first * 2 ** Math.min(attempt, 30));
      assert.ok(wait >= full / 2 && wait <= full, `${wait} for ${full}`);
    }),
  );
});

void test('with the same chance a later attempt never waits less', () => {
  const waits = Array.from({ length: 40 }, (_, attempt) =>
    backoffDelay({ first: ms(100), most: seconds(5) }, attempt, () => 0.5),
  );

  assert.deepEqual(
    waits,
    waits.toSorted((a, b) => a - b),
  );
});

void test('a deadline never has less than nothing left', () => {
  assert.equal(Deadline.after(ms(-5)).remaining(), 0);
  const left = Deadline.after(seconds(10)).remaining();
  assert.ok(left > 9000 && left <= 10_000);
});

void test('waiting ends with the work when it is in time, and with the word for late when it is not', async () => {
  const never = new Promise<string>(() => undefined);

  assert.equal(await Deadline.after(seconds(10)).wait(Promise.resolve('done'), 'late'), 'done');
  assert.equal(await Deadline.after(ms(1)).wait(never, 'late'), 'late');
  assert.equal(await Deadline.after(ms(0)).wait(never, 'late'), 'late');
});

void test('work that fails in time fails the wait, and work that fails late is not heard again', async () => {
  await assert.rejects(Deadline.after(seconds(10)).wait(Promise.reject(new Error('early')), 'late'), /early/);

  let fail: (reason: Error) => void = () => undefined;
  const work = new Promise<string>((_, reject) => {
    fail = reject;
  });
  assert.equal(await Deadline.after(ms(0)).wait(work, 'late'), 'late');
  fail(new Error('an unhandled rejection would fail this test run'));
  await new Promise(setImmediate);
});

void test('a sleep says whether it ran out or was aborted, and never rejects', async () => {
  const controller = new AbortController();
  assert.equal(await sleep(ms(1), controller.signal), 'elapsed');

  const sleeping = sleep(seconds(60), controller.signal);
  controller.abort();
  assert.equal(await sleeping, 'aborted');
  assert.equal(await sleep(seconds(60), controller.signal), 'aborted');
});
