import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { Interruptible } from '../../../../src/kit/interruptible.ts';

const never = (): Promise<string> => new Promise(() => undefined);

void test('a wait gives what its work gives', async () => {
  const waits = new Interruptible(new AbortController().signal);
  assert.equal(await waits.wait(Promise.resolve('done')), 'done');
  await assert.rejects(waits.wait(Promise.reject(new Error('failed'))), /failed/);
});

void test('an abort ends the wait under way and all later ones', async () => {
  const abort = new AbortController();
  const waits = new Interruptible(abort.signal);
  const underWay = waits.wait(never());
  abort.abort();
  assert.equal(await underWay, undefined);
  assert.equal(await waits.wait(never()), undefined);
  assert.equal(await new Interruptible(abort.signal).wait(never()), undefined);
});

void test('an end with an error rejects, and work that fails after it is no unhandled rejection', async () => {
  const waits = new Interruptible(new AbortController().signal);
  const underWay = waits.wait(never());
  waits.end(new Error('closed'));
  waits.end(new Error('second'));
  await assert.rejects(underWay, /closed/);
  await assert.rejects(waits.wait(Promise.reject(new Error('late'))), /closed/);
});

void test('however many waits there were, the signal has one listener, and none after the end', async () => {
  const abort = new AbortController();
  const waits = new Interruptible(abort.signal);
  for (let n = 0; n < 100; n += 1) await waits.wait(Promise.resolve());
  assert.equal(getEventListeners(abort.signal, 'abort').length, 1);
  waits.end();
  assert.equal(getEventListeners(abort.signal, 'abort').length, 0);
});
