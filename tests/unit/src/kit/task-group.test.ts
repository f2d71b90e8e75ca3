import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deadline } from '../../../../src/kit/deadline.ts';
import { sleep } from '../../../../src/kit/sleep.ts';
import { TaskGroup } from '../../../../src/kit/task-group.ts';
import { ms, seconds } from '../../../../src/kit/units.ts';

const SOON = (): Deadline => Deadline.after(seconds(5));

async function forever(signal: AbortSignal): Promise<void> {
  while ((await sleep(seconds(60), signal)) === 'elapsed');
}

void test('a closed group whose loops ended quietly reports no failure', async () => {
  const group = new TaskGroup();
  group.run('sleeper', forever);
  group.run('thrower', async (signal) => {
    await forever(signal);
    signal.throwIfAborted();
  });

  await group.close(SOON());

  assert.equal(await group.ended, undefined);
});

void test('a loop that ends without being asked is a failure that names it', async () => {
  const group = new TaskGroup();
  group.run('short', () => Promise.resolve());

  assert.match(String(await group.ended), /"short" ended without being asked/);
  await group.close(SOON());
});

void test('the first failure is the one that is told', async () => {
  const group = new TaskGroup();
  const first = new Error('first');
  group.run('a', () => Promise.reject(first));
  group.run('b', async (signal) => {
    await sleep(ms(5), signal);
    throw new Error('second');
  });

  assert.equal(await group.ended, first);
  await group.close(SOON());
  assert.equal(await group.ended, first);
});

void test('an abort that nobody asked for is a failure like any other', async () => {
  const group = new TaskGroup();
  group.run('a', () => Promise.reject(new DOMException('not ours', 'AbortError')));

  assert.match(String(await group.ended), /not ours/);
  await group.close(SOON());
});

void test('a failure while closing is told, not lost', async () => {
  const group = new TaskGroup();
  const failure = new Error('while closing');
  group.run('a', async (signal) => {
    await forever(signal);
    throw failure;
  });

  await group.close(SOON());

  assert.equal(await group.ended, failure);
});

void test('closing waits for loops that finish what they do, and no longer than the deadline', async () => {
  const group = new TaskGroup();
  let finished = false;
  group.run('finishing', async (signal) => {
    await forever(signal);
    await new Promise(setImmediate);
    finished = true;
  });
  await group.close(SOON());
  assert.equal(finished, true);

  const stubborn = new TaskGroup();
  stubborn.run('stubborn', () => new Promise(() => undefined));
  await stubborn.close(Deadline.after(ms(5)));
  assert.equal(await stubborn.ended, undefined);
});

void test('any number of waits may listen to the signal without a warning', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on('warning', note);
  const tasks = new TaskGroup();

  for (let wait = 0; wait < 50; wait += 1) tasks.signal.addEventListener('abort', () => undefined);
  await new Promise((resolve) => setImmediate(resolve));

  process.off('warning', note);
  assert.deepEqual(warnings, []);
});
