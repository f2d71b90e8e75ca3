import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Precedence } from '../../../../../src/cloud/upstream/precedence.ts';
import { ms, seconds } from '../../../../../src/kit/units.ts';

interface Work {
  readonly promise: Promise<void>;
  readonly finish: () => void;
}

function work(): Work {
  let finish: () => void = () => undefined;
  const promise = new Promise<void>((resolve) => {
    finish = resolve;
  });
  return { promise, finish };
}

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('history of a node waits until every state of that node in hand is done', async () => {
  const precedence = new Precedence(seconds(60));
  const [one, two] = [work(), work()];
  const done: string[] = [];
  void precedence.state('a', () => one.promise).then(() => done.push('one'));
  void precedence.state('a', () => two.promise).then(() => done.push('two'));
  const history = precedence.history('a', () => Promise.resolve(done.push('history')));
  const other = precedence.history('b', () => Promise.resolve(done.push('history of another node')));

  await other;
  one.finish();
  await soon();
  assert.deepEqual(done, ['history of another node', 'one']);
  two.finish();
  await history;

  assert.deepEqual(done.slice(2).toSorted(), ['history', 'two']);
});

test('history waits no longer than the patience for a state that is never done', async () => {
  const precedence = new Precedence(ms(5));
  const never = work();
  const state = precedence.state('a', () => never.promise);

  await precedence.history('a', () => Promise.resolve());
  await precedence.history('a', () => Promise.resolve());

  never.finish();
  await state;
});

test('a state that fails lets history go on', async () => {
  const precedence = new Precedence(seconds(60));

  await assert.rejects(precedence.state('a', () => Promise.reject(new Error('refused'))));

  assert.equal(await precedence.history('a', () => Promise.resolve('on')), 'on');
});
