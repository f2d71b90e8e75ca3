import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Progress, type Look } from '../../../broker/progress.ts';

const still: Look = { sent: 10, queued: 5, isSending: true, received: 7, isReceiving: false };

void test('the looks are counted that find a client where it was, and any move begins the count anew', () => {
  const progress = new Progress();

  const counts = [still, still, still, { ...still, queued: 4 }, { ...still, queued: 4 }].map((look) =>
    progress.look(look),
  );

  assert.deepEqual(counts, [0, 1, 2, 0, 1]);
});

void test('for whom nothing waits, and who is not in the middle of a packet, moves enough', () => {
  const progress = new Progress();
  const idle = { ...still, isSending: false };

  assert.deepEqual(
    [idle, idle, still, idle, still].map((look) => progress.look(look)),
    [0, 0, 0, 0, 0],
  );
});

void test('a client that moves from each look to the next, one way or the other, is never counted against', () => {
  const moves = fc.array(fc.record({ sent: fc.nat(3), queued: fc.nat(3), received: fc.nat(3) }), { minLength: 2 });

  fc.assert(
    fc.property(moves, (looks) => {
      const progress = new Progress();
      looks.forEach((look, at) => {
        const before = looks[at - 1];
        const count = progress.look({ ...look, isSending: true, isReceiving: true });
        const isTaking = before?.sent !== look.sent || before.queued !== look.queued;
        const isGiving = before?.received !== look.received;
        if (isTaking && isGiving) assert.equal(count, 0);
        else assert.ok(count > 0);
      });
    }),
  );
});
