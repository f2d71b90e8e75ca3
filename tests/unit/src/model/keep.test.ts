import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { INTERVAL_PATTERN, KEEP_PATTERN, parseInterval, parseKeep } from '../../../../src/model/keep.ts';

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

void test('a length of time is a number and a unit, in milliseconds', () => {
  for (const [text, milliseconds] of [
    ['250ms', 250],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
  ] as const)
    assert.equal(parseInterval(text), milliseconds);
  for (const text of ['', '0s', '5', 's', '1d', '-1s', '1.5s', ' 1s', '1s\n', '9999999999h'])
    assert.equal(parseInterval(text), undefined, JSON.stringify(text));
});

void test('the definitions of Device and DeviceModel check the same expression', () => {
  for (const file of ['device.yaml', 'devicemodel.yaml'])
    for (const { source } of [KEEP_PATTERN, INTERVAL_PATTERN])
      assert.ok(readFileSync(`deploy/crds/${file}`, 'utf8').includes(`pattern: '${source}'`), file);
});
