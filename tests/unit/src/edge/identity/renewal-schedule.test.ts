import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { waitAfterFailure, waitOfFresh, waitOfKept } from '../../../../../src/edge/identity/renewal-schedule.ts';

const DAY = 24 * 3600 * 1000;
const ISSUED = Date.UTC(2026, 4, 1);
const LIFE = { issuedAt: ISSUED, expiresAt: ISSUED + DAY };
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

void test('credentials of a day are renewed after 14.4 to 16 hours, and those without an end never', () => {
  assert.equal(
    waitOfFresh(LIFE, () => 0),
    (DAY * 2) / 3,
  );
  assert.ok(Math.abs((waitOfFresh(LIFE, () => 1) ?? 0) - 14.4 * 3600 * 1000) < 1);
  assert.equal(
    waitOfFresh({ issuedAt: ISSUED, expiresAt: undefined }, () => 0),
    undefined,
  );
});

void test('whenever a node starts within the life of its credentials, it renews at the same hour as one that ran on', () => {
  fc.assert(
    fc.property(chance, fc.integer({ min: 0, max: DAY }), (random, age) => {
      const due = ISSUED + (waitOfFresh(LIFE, () => random) ?? Number.NaN);
      const wait = waitOfKept(LIFE, ISSUED + age, () => random) ?? Number.NaN;
      assert.ok(Math.abs(ISSUED + age + wait - Math.max(due, ISSUED + age)) < 1);
    }),
  );
});

void test('a node whose clock is at 1970, or before its credentials were issued, renews at once', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: ISSUED - 1 }), (wall) => {
      assert.equal(waitOfKept(LIFE, wall, Math.random), 0);
    }),
  );
});

void test('a week after the end it renews at once', () => {
  assert.equal(waitOfKept(LIFE, ISSUED + 8 * DAY, Math.random), 0);
});

void test('after failures it asks ever less often: at least every five minutes, or every ten where a person must help', () => {
  fc.assert(
    fc.property(chance, fc.nat(1000), fc.boolean(), (random, attempt, isRefused) => {
      const wait = waitAfterFailure(attempt, isRefused, () => random);
      assert.ok(wait > 0 && wait <= (isRefused ? 600_000 : 300_000));
    }),
  );
});
