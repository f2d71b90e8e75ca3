import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { crc32c } from '../../../../../src/edge/store/crc32c.ts';
import { readLog, writeLog } from '../../../../../src/edge/store/level-log.ts';

/** Small and large ones: a block holds 32 KiB. */
const record = fc.oneof(
  { weight: 4, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 300 }) },
  fc.integer({ min: 1, max: 90_000 }).map((size) => new Uint8Array(size).fill(size & 0xff)),
);
const records = fc.array(record, { minLength: 1, maxLength: 12 });

const sizes = (all: readonly Uint8Array[]): number[] => all.map(({ length }) => length);

/** Where each record ends in the file. */
const endsOf = (all: readonly Uint8Array[]): number[] => all.map((_, n) => writeLog(all.slice(0, n + 1)).length);

void test('the checksum is the one that others call CRC-32C', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
});

void test('what was written is read, whatever blocks it falls into', () => {
  fc.assert(
    fc.property(records, (all) => {
      const read = readLog(writeLog(all));

      assert.deepEqual(
        read.records.map((one) => Buffer.from(one)),
        all.map((one) => Buffer.from(one)),
      );
      assert.equal(read.brokenAt, undefined);
      assert.equal(read.isDamaged, false);
    }),
    { numRuns: 200 },
  );
});

void test('a file cut off anywhere has every record before the cut, and is not called damaged', () => {
  fc.assert(
    fc.property(records, fc.nat(), (all, place) => {
      const bytes = writeLog(all);
      const cut = place % (bytes.length + 1);
      const read = readLog(bytes.subarray(0, cut));

      const whole = endsOf(all).filter((end) => end <= cut).length;
      assert.deepEqual(sizes(read.records), sizes(all.slice(0, whole)));
      assert.equal(read.isDamaged, false);
    }),
    { numRuns: 300 },
  );
});

void test('a flipped bit costs the record it is in and no other, and is damage unless that was the last', () => {
  fc.assert(
    fc.property(records, fc.nat(), fc.nat({ max: 7 }), (all, place, bit) => {
      const bytes = writeLog(all);
      const at = place % bytes.length;
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
      const hit = endsOf(all).findIndex((end) => at < end);
      const read = readLog(bytes);

      // Nothing is read from the few bytes that fill a block up, so that flipping those may cost nothing.
      if (read.records.length === all.length) return;
      assert.deepEqual(sizes(read.records), sizes(all.filter((_, n) => n !== hit)));
      assert.equal(read.isDamaged, hit < all.length - 1);
      assert.ok((read.brokenAt ?? Infinity) <= at);
    }),
    { numRuns: 300 },
  );
});

void test('zeros at the end, as some file systems leave them after a power cut, are an unfinished end', () => {
  fc.assert(
    fc.property(records, fc.integer({ min: 7, max: 70_000 }), (all, zeros) => {
      const read = readLog(Buffer.concat([writeLog(all), new Uint8Array(zeros)]));

      assert.deepEqual(sizes(read.records), sizes(all));
      assert.equal(read.isDamaged, false);
    }),
    { numRuns: 100 },
  );
});
