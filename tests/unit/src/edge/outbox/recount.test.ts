// A recount against plain lists: what stands behind a position waits, and what lies between the two was acknowledged, or is no more.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Weighed } from '../../../../../src/edge/outbox/outbox-key.ts';
import { Found } from '../../../../../src/edge/outbox/recount.ts';

const entries = fc
  .uniqueArray(
    fc.record({ sequence: fc.integer({ min: 1, max: 30 }), bytes: fc.nat(100), isCompactable: fc.boolean() }),
    {
      selector: ({ sequence }) => sequence,
    },
  )
  .map((list): readonly Weighed[] => list.sort((a, b) => a.sequence - b.sequence));
const place = fc.nat(30);

const bytesOf = (list: readonly Weighed[]): number => list.reduce((sum, { bytes }) => sum + bytes, 0);

void test('what is behind the position waits, and the acknowledged bytes grow or shrink by what lies between the two', () => {
  fc.assert(
    fc.property(entries, place, place, (onDisk, now, before) => {
      const found = new Found(now, before);
      for (const entry of onDisk.filter(({ sequence }) => sequence > found.after)) found.add(entry);
      const waiting = onDisk.filter(({ sequence }) => sequence > now);
      const acknowledgedAt = (position: number): number =>
        bytesOf(onDisk.filter(({ sequence }) => sequence <= position));
      assert.deepEqual(
        [found.waiting, found.waitingBytes, found.acknowledgedBytes],
        [waiting.length, bytesOf(waiting), acknowledgedAt(now) - acknowledgedAt(before)],
      );
      assert.equal(found.oldest, waiting[0]?.sequence ?? 0);
      assert.equal(found.newest, waiting.at(-1)?.sequence ?? now);
      assert.equal(found.newestCompactable, waiting.findLast(({ isCompactable }) => isCompactable)?.sequence ?? 0);
    }),
  );
});
