import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WillRoom } from '../../../../broker/sessions/will-room.ts';
import { bytes } from '../../../../src/kit/units.ts';

const LARGEST = 40;

void test('however wills come, take each other’s place and go, they never take more than the limit and one of them', () => {
  const step = fc.record({ comes: fc.boolean(), size: fc.integer({ min: 1, max: LARGEST }), which: fc.nat(9) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const room = new WillRoom({ willBytes: bytes(100) });
      const sizes = new Map<object, number>();
      for (const { comes, size, which } of steps) {
        const other = [...sizes.keys()][which];
        const will = {};
        const before = room.total.bytes;
        if (!comes && other !== undefined) {
          room.give(other);
          room.give(other);
          sizes.delete(other);
        } else if (room.take(will, size, other)) sizes.set(will, size);
        else assert.ok(before + size > 100 && room.total.bytes === before);
        const bytesHeld = [...sizes.values()].reduce((sum, one) => sum + one, 0);
        assert.deepEqual(room.total, { wills: sizes.size, bytes: bytesHeld });
        assert.ok(bytesHeld <= 100 + LARGEST);
      }
    }),
  );
});

void test('a will that a former process left is counted whatever the limit, and once', () => {
  const room = new WillRoom({ willBytes: bytes(10) });
  const will = {};

  room.hold(will, 30);
  room.hold(will, 30);

  assert.deepEqual(room.total, { wills: 1, bytes: 30 });
  assert.equal(room.take({}, 1), false);
  room.give(will);
  assert.equal(room.take({}, 10), true);
});
