import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { diffIndex, isMeant } from '../../../../../src/edge/downlink/index-diff.ts';

const keys = fc.dictionary(
  fc.constantFrom('a', 'b', 'c', 'd', 'constructor', 'toString'),
  fc.constantFrom('x', 'y', 'z'),
  { noNullPrototype: true },
);

void test('what is read and what is not named bring a node to what the index says', () => {
  fc.assert(
    fc.property(keys, keys, (wanted, have) => {
      const held = new Map(Object.entries(have));

      const { read, unnamed } = diffIndex({ bucket: 'b', generation: 1, keys: wanted }, held);

      assert.ok(read.every((key) => have[key] !== wanted[key]));
      for (const key of unnamed) held.delete(key);
      for (const key of read) held.set(key, wanted[key] ?? assert.fail());
      assert.deepEqual(new Map([...held].toSorted()), new Map(Object.entries(wanted).toSorted()));
    }),
  );
});

void test('what the bucket holds is meant when it says what the index names, or was written after the index', () => {
  assert.equal(isMeant('x', { revision: 5, fingerprint: 'x' }, 10), true);
  assert.equal(isMeant('x', { revision: 11, fingerprint: 'y' }, 10), true);
  assert.equal(isMeant('x', { revision: 9, fingerprint: 'y' }, 10), false);
  assert.equal(isMeant('x', undefined, 10), false);
});
