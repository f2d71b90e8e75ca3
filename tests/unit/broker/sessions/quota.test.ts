import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RetainedQuota, SessionQuota } from '../../../../broker/sessions/quota.ts';
import { bytes } from '../../../../src/kit/units.ts';

const limits = {
  sessionMessages: 3,
  sessionBytes: bytes(100),
  totalSessionMessages: 5,
  totalSessionBytes: bytes(180),
};

function quotaOf(held: Readonly<Record<string, readonly number[]>>, more: Partial<typeof limits> = {}): SessionQuota {
  const quota = new SessionQuota({ ...limits, ...more });
  for (const [session, sizes] of Object.entries(held)) for (const size of sizes) quota.add(session, size);
  return quota;
}

void test('a session answers for its own messages and bytes, and nobody else does', () => {
  const many = quotaOf({ a: [1, 1, 1, 1], b: [1] });
  const large = quotaOf({ a: [60, 60], b: [1] });

  assert.deepEqual(many.excess('a'), { session: 'a', reason: 'client-messages' });
  assert.deepEqual(large.excess('a'), { session: 'a', reason: 'client-bytes' });
  assert.equal(large.excess('b'), undefined);
});

void test('for the limits of all together the session that holds most answers, whoever got the last message', () => {
  const many = quotaOf({ a: [1, 1, 1], b: [1, 1], c: [1] });
  const large = quotaOf({ a: [30, 30], b: [90], c: [40] });

  assert.deepEqual(many.excess('c'), { session: 'a', reason: 'total-messages' });
  assert.deepEqual(large.excess('c'), { session: 'b', reason: 'total-bytes' });
});

void test('what cannot be dropped does not make its session the one to drop from', () => {
  const quota = quotaOf({ a: [90], b: [60], c: [40] });

  quota.bind('a', 90);

  assert.deepEqual(quota.excess('c'), { session: 'b', reason: 'total-bytes' });
  quota.give('a', 90, true);
  assert.equal(quota.excess('c'), undefined);
});

interface Modelled {
  readonly size: number;
  isBound: boolean;
}

const step = fc.record({
  session: fc.constantFrom('a', 'b', 'c'),
  do: fc.constantFrom('add' as const, 'add' as const, 'add' as const, 'give' as const, 'bind' as const),
  size: fc.integer({ min: 1, max: 50 }),
});

const sumOf = (messages: readonly Modelled[]): number => messages.reduce((sum, { size }) => sum + size, 0);

void test('all limits hold after every message, as long as what cannot be dropped leaves room, and the count ends at zero', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const quota = quotaOf({});
      const held = new Map<string, Modelled[]>([
        ['a', []],
        ['b', []],
        ['c', []],
      ]);
      const all = (): Modelled[] => [...held.values()].flat();
      const remove = (session: string, message: Modelled): void => {
        const messages = held.get(session)!;
        messages.splice(messages.indexOf(message), 1);
        quota.give(session, message.size, message.isBound);
      };
      for (const { session, do: what, size } of steps) {
        const messages = held.get(session)!;
        const [oldest] = messages;
        const unbound = messages.find(({ isBound }) => !isBound);
        if (what === 'give' && oldest !== undefined) remove(session, oldest);
        if (what === 'bind' && unbound !== undefined) {
          unbound.isBound = true;
          quota.bind(session, unbound.size);
        }
        if (what !== 'add') continue;
        const newest = { size, isBound: false };
        messages.push(newest);
        quota.add(session, size);
        for (let excess = quota.excess(session); excess !== undefined; excess = quota.excess(session)) {
          const victim = held.get(excess.session)?.find(({ isBound }) => !isBound);
          assert.ok(victim, `${excess.session} has nothing to give`);
          if (excess.reason.startsWith('total')) assert.ok(isFullest(excess.session, excess.reason));
          remove(excess.session, victim);
        }
        assert.deepEqual(quota.total, { messages: all().length, bytes: sumOf(all()) });
        assert.ok(messages.length <= limits.sessionMessages && sumOf(messages) <= limits.sessionBytes);
        assert.ok(all().length <= limits.totalSessionMessages && sumOf(all()) <= limits.totalSessionBytes);
      }
      for (const [session, messages] of held) for (const message of [...messages]) remove(session, message);
      assert.deepEqual(quota.total, { messages: 0, bytes: 0 });

      function isFullest(session: string, reason: string): boolean {
        const measure = (one: string): number => {
          const free = held.get(one)!.filter(({ isBound }) => !isBound);
          return reason === 'total-bytes' ? sumOf(free) : free.length;
        };
        return [...held.keys()].every((one) => measure(one) <= measure(session));
      }
    }),
  );
});

void test('retained messages are limited in number and bytes, and replacing one needs no second place', () => {
  const quota = new RetainedQuota({ retainedTopics: 2, retainedBytes: bytes(100) });

  assert.deepEqual([quota.set('a', 40), quota.set('b', 40), quota.set('c', 1)], [true, true, false]);
  assert.deepEqual([quota.set('a', 61), quota.set('a', 60)], [false, true]);
  quota.delete('b');
  assert.equal(quota.set('c', 40), true);
});
