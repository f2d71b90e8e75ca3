import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBytes, sizeText } from '../../../../src/cli/sizes.ts';
import { bytes, mebibytes } from '../../../../src/kit/units.ts';

const LIMITS = { least: bytes(1000), most: mebibytes(2048) };

void test('sizes are read with their unit, decimal or binary', () => {
  const cases = {
    '1000B': 1000,
    '200KB': 200_000,
    '200KiB': 204_800,
    '1.5MiB': 1_572_864,
    '2GiB': 2 ** 31,
    '1GB': 1e9,
  };

  for (const [text, expected] of Object.entries(cases)) assert.equal(parseBytes('--size', text, LIMITS), expected);
});

void test('what is no size, or lies outside the limits, is refused with the option and the limits named', () => {
  for (const text of ['', '512', '-1MiB', '1e3B', '512 MiB', '512mib', '999B', '3GiB', '1TiB'])
    assert.throws(() => parseBytes('--size', text, LIMITS), { code: 'OPTION_INVALID', message: /--size.*1000B.*2GiB/ });
});

void test('a size is told in the largest unit that it is a whole number of', () => {
  assert.deepEqual([mebibytes(512), mebibytes(2048), bytes(1536), bytes(1000)].map(sizeText), [
    '512MiB',
    '2GiB',
    '1536B',
    '1000B',
  ]);
});
