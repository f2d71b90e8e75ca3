import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeCheckpoint, encodeCheckpoint, startAfter, type Start } from '../../../../src/nats/checkpoint.ts';

const BEGINNING: Start = { kind: 'beginning' };
const at = (second: number): string => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();

void test('a checkpoint is read as it was written, and anything else is none', () => {
  const checkpoint = { sequence: 7, timestamp: '2026-01-01T00:00:00.123456789Z' };

  assert.deepEqual(decodeCheckpoint(encodeCheckpoint(checkpoint)), checkpoint);
  for (const text of ['', 'text', '{}', '{"sequence":1}', '{"sequence":1,"timestamp":"never"}', '[]'])
    assert.equal(decodeCheckpoint(text), undefined, text);
});

void test('where the stream is as it was, the successor goes on behind the checkpoint', () => {
  const left = { checkpoint: { sequence: 7, timestamp: at(7) }, began: BEGINNING };

  assert.deepEqual(startAfter(left, { first: 1, last: 9 }, at(7)), { kind: 'after', sequence: 7 });
  assert.deepEqual(startAfter(left, { first: 8, last: 9 }, undefined), { kind: 'after', sequence: 7 }, 'evicted');
});

void test('without a checkpoint the successor begins where its predecessor began', () => {
  const left = { checkpoint: undefined, began: { kind: 'after', sequence: 4 } } as const;

  assert.deepEqual(startAfter(left, { first: 1, last: 9 }, undefined), { kind: 'after', sequence: 4 });
});

void test('a last value that was replaced since is not taken for a lost tail', () => {
  const left = { checkpoint: { sequence: 7, timestamp: at(1200) }, began: BEGINNING };

  assert.deepEqual(startAfter(left, { first: 1, last: 9 }, undefined), { kind: 'since', time: at(600) });
});

interface Stored {
  readonly sequence: number;
  readonly second: number;
  readonly text: string;
}

/** A stream, read up to somewhere, that loses its tail and is filled again; clocks go on. */
const histories = fc.record({
  length: fc.integer({ min: 1, max: 30 }),
  settled: fc.integer({ min: 0, max: 30 }),
  kept: fc.integer({ min: 0, max: 30 }),
  refilled: fc.integer({ min: 0, max: 60 }),
});

void test('whatever of its tail a stream lost and got again, nothing that was never settled is skipped', () => {
  fc.assert(
    fc.property(histories, (history) => {
      const settled = Math.min(history.settled, history.length);
      const kept = Math.min(history.kept, history.length);
      const message = (sequence: number, second: number, life: string): Stored => ({
        ...{ sequence, second },
        text: `${life} ${sequence}`,
      });
      const before = Array.from({ length: history.length }, (_, n) => message(n + 1, n + 1, 'before'));
      const again = Array.from({ length: history.refilled }, (_, n) => message(kept + n + 1, 1000 + n, 'again'));
      const now = [...before.slice(0, kept), ...again];
      const checkpoint = settled === 0 ? undefined : { sequence: settled, timestamp: at(settled) };
      const stored = now.find(({ sequence }) => sequence === settled);
      const stream = { first: 1, last: now.length };

      const start = startAfter({ checkpoint, began: BEGINNING }, stream, stored && at(stored.second));

      const consumed = now.filter(({ sequence, second }) => {
        if (start.kind === 'beginning') return true;
        return start.kind === 'after' ? sequence > start.sequence : at(second) >= start.time;
      });
      const known = new Set([...before.slice(0, settled), ...consumed].map(({ text }) => text));
      assert.deepEqual(
        now.filter(({ text }) => !known.has(text)),
        [],
      );
    }),
    { numRuns: 2000 },
  );
});
