import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  isMassRemoval,
  nextIndex,
  planDesired,
  type Held,
  type Wanted,
} from '../../../../../src/cloud/downstream/desired-diff.ts';
import { encodeDefinition } from '../../../../../src/wire/desired.ts';

const object = (text: string): Wanted => ({ kind: 'object', bytes: Buffer.from(text) });
const held = (revision: number, text?: string): Held => ({
  revision,
  bytes: text === undefined ? undefined : Buffer.from(text),
});

test('only what differs is put, over the revision that is there', () => {
  const plan = planDesired(
    new Map([
      ['same', object('a')],
      ['changed', object('b2')],
      ['new', object('c')],
      ['back', object('d')],
    ]),
    new Map([
      ['same', held(1, 'a')],
      ['changed', held(2, 'b1')],
      ['back', held(3)],
      ['gone', held(4, 'e')],
      ['long gone', held(5)],
    ]),
  );

  assert.deepEqual(
    plan.puts.map(({ key, over }) => [key, over]),
    [
      ['changed', 2],
      ['new', 0],
      ['back', 3],
    ],
  );
  assert.deepEqual(plan.keys, ['back', 'changed', 'new', 'same']);
  assert.deepEqual(plan.removals, ['gone']);
});

test('what cannot be made at present stays as it was sent, but only for the same device and binding', () => {
  const definition = { namespace: 'n', name: 'd', uid: 'uid-1', binding: 2, protocol: 'p', properties: [] };
  const there = new Map([['key', { revision: 7, bytes: encodeDefinition(definition) }]]);
  const keep = (uid: string, binding: number): readonly string[] =>
    planDesired(new Map([['key', { kind: 'keep', uid, binding }]]), there).keys;

  assert.deepEqual(keep('uid-1', 2), ['key']);
  assert.deepEqual(keep('uid-1', 3), []);
  assert.deepEqual(keep('uid-2', 2), []);
});

test('an index grows its generation only when it changes', () => {
  const first = { bucket: 'bucket', generation: 1, keys: { a: 'x' } };
  assert.deepEqual(nextIndex('bucket', new Map([['a', 'x']]), undefined), first);

  assert.equal(nextIndex('bucket', new Map([['a', 'x']]), first), 'unchanged');
  assert.deepEqual(nextIndex('bucket', new Map([['a', 'y']]), first), {
    bucket: 'bucket',
    generation: 2,
    keys: { a: 'y' },
  });
  assert.deepEqual(nextIndex('other', new Map([['a', 'x']]), first), {
    bucket: 'other',
    generation: 2,
    keys: { a: 'x' },
  });
});

test('a node without objects gets an empty first index', () => {
  assert.deepEqual(nextIndex('bucket', new Map(), undefined), { bucket: 'bucket', generation: 1, keys: {} });
});

test('only the loss of most of many objects needs a second look', () => {
  const index = (count: number): { bucket: string; generation: number; keys: Record<string, string> } => ({
    bucket: 'b',
    generation: 1,
    keys: Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, `print-${n}`])),
  });
  const keys = (count: number): string[] => Array.from({ length: count }, (_, n) => `k${n}`);

  assert.equal(isMassRemoval(index(20), keys(9)), true);
  assert.equal(isMassRemoval(index(20), keys(10)), false);
  assert.equal(isMassRemoval(index(10), []), false);
  assert.equal(isMassRemoval(index(11), []), true);
  assert.equal(isMassRemoval(undefined, []), false);
});

test('carrying out a plan leaves nothing for the next one', () => {
  const texts = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.constantFrom('1', '2', '3'));
  fc.assert(
    fc.property(texts, texts, (want, have) => {
      const wanted = new Map(Object.entries(want).map(([key, text]) => [key, object(text)]));
      const there = new Map(Object.entries(have).map(([key, text], n) => [key, held(n + 1, text)]));

      const plan = planDesired(wanted, there);
      for (const { key, bytes, over } of plan.puts) {
        assert.equal(over, there.get(key)?.revision ?? 0);
        there.set(key, { revision: 100 + there.size, bytes });
      }
      for (const key of plan.removals) there.set(key, held(200));

      const again = planDesired(wanted, there);
      assert.deepEqual([again.puts, again.removals], [[], []]);
      assert.deepEqual(again.keys, Object.keys(want).sort());
    }),
  );
});
