import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { OutboxEntry } from '../../../../../src/edge/outbox/chain-backlog.ts';
import { pack } from '../../../../../src/edge/uplink/packing.ts';

const NO_LIMIT = Number.POSITIVE_INFINITY;
const UNLIMITED = { most: NO_LIMIT, ofSeveral: NO_LIMIT };

const entries = (count: number): OutboxEntry[] =>
  Array.from({ length: count }, (_, n) => ({ sequence: n + 1, incarnation: 'i', fact: { at: n, changes: [] } }));

void test('what goes as one message is a beginning of the chain, whole, and no more than the server takes', () => {
  const text = fc.tuple(fc.nat({ max: 400 }), fc.constantFrom('a', 'ä', '語')).map(([n, of]) => `"${of.repeat(n)}"`);
  const bound = fc.oneof(fc.integer({ min: 2, max: 4000 }), fc.constant(NO_LIMIT));
  fc.assert(
    fc.property(fc.array(text, { maxLength: 30 }), bound, bound, (texts, most, ofSeveral) => {
      const packed = pack(entries(texts.length), { most, ofSeveral }, ({ sequence }) => texts[sequence - 1] ?? '');

      const alone = Buffer.byteLength(texts[0] ?? '') + 2;
      assert.equal(packed.kind === 'empty', texts.length === 0);
      assert.equal(packed.kind === 'too-large', texts.length > 0 && alone > most);
      if (packed.kind !== 'message') return;
      assert.ok(packed.payload.byteLength <= most);
      assert.ok(packed.facts === 1 || packed.payload.byteLength <= ofSeveral);
      assert.equal(packed.newest.sequence, packed.facts);
      assert.equal(Buffer.from(packed.payload).toString(), `[${texts.slice(0, packed.facts).join(',')}]`);
    }),
  );
});

void test('only a fact that is too large alone is said to be; many small ones go as several messages', () => {
  const sizes = { most: 1000, ofSeveral: 300 };

  assert.equal(pack(entries(2), sizes, () => 'x'.repeat(999)).kind, 'too-large');
  const alone = pack(entries(2), sizes, () => 'x'.repeat(998));
  assert.ok(alone.kind === 'message' && alone.facts === 1);
  const packed = pack(entries(50), sizes, () => 'x'.repeat(20));
  assert.ok(packed.kind === 'message' && packed.facts > 1 && packed.facts < 50);
});

void test('a message holds what is worth one, although the server takes more', () => {
  const packed = pack(entries(100), UNLIMITED, () => 'x'.repeat(10_000));

  assert.ok(packed.kind === 'message' && packed.facts === 26);
});
