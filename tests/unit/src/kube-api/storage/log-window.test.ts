import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LogWindow } from '../../../../../src/kube-api/storage/log-window.ts';
import { collectionOf, logKey, logKeyOf } from '../../../../../src/kube-api/storage/store-keys.ts';

const collection = collectionOf('', 'nodes');

test('the log keeps its newest entries within both limits, and knows how far it reaches', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (sizes) => {
      const window = new LogWindow({ entries: 5, bytes: 100 });
      const dropped: number[] = [];
      sizes.forEach((bytes, index) => {
        window.push({ revision: index + 1, bytes, collection });
        dropped.push(...window.trim().map(({ revision }) => revision));
      });
      const kept = sizes.slice(dropped.length);
      assert.deepEqual(
        dropped,
        sizes.slice(0, dropped.length).map((_, index) => index + 1),
      );
      assert.ok(kept.length <= 5 && (kept.length === 1 || kept.reduce((sum, each) => sum + each, 0) <= 100));
      assert.equal(window.reaches(dropped.length, sizes.length), true);
      assert.equal(window.reaches(dropped.length - 1, sizes.length), false);
    }),
  );
});

test('an empty log reaches only the present', () => {
  const window = new LogWindow({ entries: 5, bytes: 100 });

  assert.equal(window.reaches(7, 7), true);
  assert.equal(window.reaches(6, 7), false);
});

test('a log key tells revision, size and collection, and sorts by revision', () => {
  const key = { revision: 42, bytes: 7, collection: collectionOf('example.com', 'widgets') };

  assert.deepEqual(logKeyOf(logKey(key)), key);
  assert.ok(logKey({ ...key, revision: 9 }) < logKey({ ...key, revision: 10 }));
});
