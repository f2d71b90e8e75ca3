import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { durationText, parseDuration } from '../../../../src/cli/durations.ts';
import { ms, seconds } from '../../../../src/kit/units.ts';

const LIMITS = { least: ms(100), most: seconds(3600) };

void test('a time is a number with its unit', () => {
  const cases = { '250ms': 250, '2s': 2000, '1.5s': 1500, '10m': 600_000, '1h': 3_600_000 };
  for (const [text, expected] of Object.entries(cases)) assert.equal(parseDuration('--every', text, LIMITS), expected);
});

void test('what is no time, or lies outside its limits, is refused with the option and the limits', () => {
  for (const text of ['', '2', 's', '-2s', '2 s', '2S', '99ms', '61m', '1e3s', '1d'])
    assert.throws(() => parseDuration('--every', text, LIMITS), {
      code: 'OPTION_INVALID',
      message: `--every "${text}": expected a time from 100ms to 1h, such as 500ms, 2s or 10m`,
    });
});

void test('a time that is written is read as the same', () => {
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 3_600_000 }), (duration) => {
      assert.equal(parseDuration('--every', durationText(ms(duration)), LIMITS), duration);
    }),
  );
});
