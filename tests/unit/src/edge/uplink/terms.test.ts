import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TermSince } from '../../../../../src/edge/store/store-identity.ts';
import { termOf, withTerm } from '../../../../../src/edge/uplink/terms.ts';

void test('what is enlisted before the first term counts as of it', () => {
  const terms = withTerm([], 3, 40);

  assert.equal(termOf(terms, 1), 3);
  assert.equal(termOf(terms, 41), 3);
});

void test('a claim that gives the same term again changes nothing', () => {
  const terms = withTerm([], 3, 40);

  assert.equal(withTerm(terms, 3, 50), terms);
});

void test('a term that is older than the newest changes nothing', () => {
  const terms = withTerm(withTerm([], 3, 40), 5, 50);

  assert.equal(withTerm(terms, 4, 60), terms);
});

void test('each fact has the term that was held when it was enlisted, however many claims followed', () => {
  const steps = fc.array(fc.record({ facts: fc.nat({ max: 5 }), raise: fc.integer({ min: 0, max: 2 }) }), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(steps, (history) => {
      let terms: readonly TermSince[] = [];
      let newest = 0;
      let held = 0;
      const expected: number[] = [];
      for (const { facts, raise } of history) {
        held = held === 0 ? 1 + raise : held + raise;
        terms = withTerm(terms, held, newest);
        for (let fact = 0; fact < facts; fact += 1) expected.push(held);
        newest += facts;
      }
      assert.deepEqual(
        expected.map((_, place) => termOf(terms, place + 1)),
        expected,
      );
    }),
  );
});
