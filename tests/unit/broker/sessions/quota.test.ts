import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RetainedQuota, SessionQuota } from '../../../../broker/sessions/quota.ts';
import { bytes } from '../../../../src/kit/units.ts';

void test('a session holds as many messages as it may, and has room again for each one that left', () => {
  const quota = new SessionQuota({ sessionMessages: 2, sessionBytes: bytes(1000) });

  assert.deepEqual(
    [quota.take('a', 10), quota.take('a', 10), quota.take('a', 10), quota.take('b', 10)],
    [true, true, false, true],
  );
  quota.give('a', 10);
  assert.equal(quota.take('a', 10), true);
});

void test('all sessions together hold as many bytes as they may', () => {
  const quota = new SessionQuota({ sessionMessages: 100, sessionBytes: bytes(100) });

  assert.deepEqual([quota.take('a', 60), quota.take('b', 60), quota.take('b', 40)], [true, false, true]);
  quota.give('a', 60);
  assert.equal(quota.bytes, 40);
});

void test('the count never passes the limit, and ends at zero', () => {
  const step = fc.record({
    session: fc.constantFrom('a', 'b', 'c'),
    take: fc.boolean(),
    size: fc.integer({ min: 1, max: 50 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const quota = new SessionQuota({ sessionMessages: 10, sessionBytes: bytes(200) });
      const held = new Map<string, number[]>([
        ['a', []],
        ['b', []],
        ['c', []],
      ]);
      for (const { session, take, size } of steps) {
        const sizes = held.get(session) ?? [];
        const leaving = take ? undefined : sizes.shift();
        if (leaving !== undefined) quota.give(session, leaving);
        if (take && quota.take(session, size)) sizes.push(size);
        assert.ok(quota.bytes >= 0 && quota.bytes <= 200 && sizes.length <= 10);
      }
      for (const [session, sizes] of held) for (const size of sizes) quota.give(session, size);
      assert.equal(quota.bytes, 0);
    }),
  );
});

void test('what was there already is counted, also past the limits', () => {
  const quota = new SessionQuota({ sessionMessages: 1, sessionBytes: bytes(10) });

  quota.add('a', 20);

  assert.deepEqual([quota.bytes, quota.take('b', 1)], [20, false]);
});

void test('retained messages are limited in number and bytes, and replacing one needs no second place', () => {
  const quota = new RetainedQuota({ retainedTopics: 2, retainedBytes: bytes(100) });

  assert.deepEqual([quota.set('a', 40), quota.set('b', 40), quota.set('c', 1)], [true, true, false]);
  assert.deepEqual([quota.set('a', 61), quota.set('a', 60)], [false, true]);
  quota.delete('b');
  assert.equal(quota.set('c', 40), true);
});
