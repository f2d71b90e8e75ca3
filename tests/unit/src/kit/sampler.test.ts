import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sampler } from '../../../../src/kit/sampler.ts';
import { seconds } from '../../../../src/kit/units.ts';

void test('the first few of a kind are let through in a time, and the next one after it says how many were not', () => {
  const sampler = new Sampler<string>(2, seconds(10));

  const taken = [0, 1, 2, 3, 9_999, 10_000, 10_001, 10_002].map((now) => sampler.take('a', now));

  assert.deepEqual(taken, [0, 0, undefined, undefined, undefined, 3, 0, undefined]);
});

void test('one kind does not take the room of another', () => {
  const sampler = new Sampler<string>(1, seconds(10));
  sampler.take('a', 0);

  assert.deepEqual([sampler.take('a', 1), sampler.take('b', 1)], [undefined, 0]);
});
