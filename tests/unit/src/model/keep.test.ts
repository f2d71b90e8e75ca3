import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { KEEP_PATTERN, parseKeep } from '../../../../src/model/keep.ts';

void test('the words for how much to keep are read, with intervals in milliseconds', () => {
  for (const word of ['all', 'last', 'changes'] as const) assert.equal(parseKeep(word), word);
  assert.deepEqual(parseKeep('sampled(250ms)'), { sampledEvery: 250 });
  assert.deepEqual(parseKeep('sampled(10s)'), { sampledEvery: 10_000 });
  assert.deepEqual(parseKeep('sampled(5m)'), { sampledEvery: 300_000 });
  assert.deepEqual(parseKeep('sampled(1h)'), { sampledEvery: 3_600_000 });
});

void test('anything else is no word, nor an interval that a number cannot hold', () => {
  const wrong = [
    '',
    'All',
    'every',
    'sampled',
    'sampled()',
    'sampled(0s)',
    'sampled(1)',
    'sampled(1d)',
    'sampled(-1s)',
  ];
  for (const text of [...wrong, ' all', 'all\n', 'sampled(1.5s)', 'sampled( 1s )', 'sampled(9999999999h)'])
    assert.equal(parseKeep(text), undefined, JSON.stringify(text));
  assert.deepEqual(parseKeep('sampled(999999999h)'), { sampledEvery: 999_999_999 * 3_600_000 });
});

void test('the definitions of Device and DeviceModel check the same expression', () => {
  for (const file of ['device.yaml', 'devicemodel.yaml'])
    assert.ok(readFileSync(`deploy/crds/${file}`, 'utf8').includes(`pattern: '${KEEP_PATTERN.source}'`), file);
});
