import assert from 'node:assert/strict';
import { test } from 'node:test';
import { momentOf } from '../../../../src/cli/moments.ts';

const NOW = Date.parse('2026-05-01T12:00:00Z');

void test('a moment is a time of RFC 3339, or how long ago, with or without a minus', () => {
  assert.equal(momentOf('--at', '2026-05-01T11:59:00Z', NOW), NOW - 60_000);
  assert.equal(momentOf('--at', '2026-05-01t13:59:00.5+02:00', NOW), NOW - 59_500);
  for (const text of ['60s', '-60s', '1m', '-1m']) assert.equal(momentOf('--at', text, NOW), NOW - 60_000, text);
  assert.equal(momentOf('--at', '2h', NOW), NOW - 7_200_000);
  assert.equal(momentOf('--at', '3d', NOW), NOW - 3 * 86_400_000);
});

void test('anything else is refused, with the way out', () => {
  for (const text of [
    '',
    'noon',
    '10',
    '10 m',
    '2026-05-01',
    '2026-05-01T11:59:00',
    '2026-13-01T00:00:00Z',
    '999999999d',
  ])
    assert.throws(() => momentOf('--at', text, NOW), /such as 2026-05-01T12:00:00Z, or how long ago/, text);
});
