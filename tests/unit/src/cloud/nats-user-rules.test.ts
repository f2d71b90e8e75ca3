import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hearingProblem } from '../../../../src/cloud/nats-user-rules.ts';

const token = fc.oneof(fc.constant('*'), fc.stringMatching(/^[a-z0-9_-]{1,8}$/));

void test('whatever nodes say may be heard', () => {
  const filters = fc.tuple(fc.array(token, { minLength: 1, maxLength: 6 }), fc.boolean());
  fc.assert(
    fc.property(filters, ([tokens, isOpen]) => {
      assert.equal(hearingProblem(['skerry', ...tokens, ...(isOpen ? ['>'] : [])].join('.')), undefined);
    }),
  );
});

void test('nothing else may be: whatever is let through lies below skerry, and is one filter', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      if (hearingProblem(text) === undefined) assert.match(text, /^skerry(\.[^\s.]+)+$/);
      assert.notEqual(hearingProblem(`${text}.>`.replace(/^skerry\./, '')), undefined);
    }),
  );
});
