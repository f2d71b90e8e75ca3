import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { diffIndex } from '../../../../../src/edge/downlink/index-diff.ts';

const keys = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'constructor', 'toString'), fc.nat({ max: 3 }), {
  noNullPrototype: true,
});

void test('what is read and what is removed bring a node to what the index says', () => {
  fc.assert(
    fc.property(keys, keys, fc.boolean(), (wanted, have, sameBucket) => {
      const revisions = new Map(Object.entries(have));
      const index = { bucket: 'now', generation: 1, keys: wanted };

      const { read, remove } = diffIndex(index, { bucket: sameBucket ? 'now' : 'before', revisions });

      for (const key of remove) revisions.delete(key);
      for (const key of read) revisions.set(key, wanted[key] ?? assert.fail());
      assert.deepEqual(new Map([...revisions].toSorted()), new Map(Object.entries(wanted).toSorted()));
      if (!sameBucket) assert.deepEqual(read.toSorted(), Object.keys(wanted).toSorted());
      else assert.ok(read.every((key) => have[key] !== wanted[key]));
    }),
  );
});
