import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { afterEntry, endOfChain, entryKey, parseEntryKey } from '../../../../../src/edge/outbox/outbox-key.ts';
import { chainSubject } from '../../../../../src/wire/nats-subjects.ts';

const name = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,8}[a-z0-9])?$/);
const chain = fc
  .tuple(name, fc.constantFrom('twin', 'event' as const), name, name)
  .map(([node, kind, namespace, device]) => chainSubject(node, kind, { namespace, name: device }));
// Numbers near each other too: their keys differ in the last digit only.
const sequence = fc.oneof(fc.maxSafeNat(), fc.nat({ max: 12 }));
const entry = fc.record({ sequence, bytes: fc.nat({ max: 2_000_000 }), isCompactable: fc.boolean() });

void test('a key gives back its chain and all it says of its entry', () => {
  fc.assert(
    fc.property(chain, entry, (one, weighed) => {
      assert.deepEqual(parseEntryKey(entryKey(one, weighed)), { chain: one, ...weighed });
    }),
  );
});

void test('a key from before keys told a weight is read, with a weight that is a guess', () => {
  const { sequence: found, bytes, isCompactable, chain: of } = parseEntryKey('skerry.n.up.twin.a.b/0000000000000042');

  assert.deepEqual([of, found, isCompactable], ['skerry.n.up.twin.a.b', 42, false]);
  assert.ok(bytes > 0);
});

void test('the keys of one chain are in the order of their sequences, whatever they weigh, and before its end', () => {
  fc.assert(
    fc.property(chain, entry, entry, (one, a, b) => {
      fc.pre(a.sequence !== b.sequence);
      assert.equal(Math.sign(a.sequence - b.sequence), Math.sign(compare(entryKey(one, a), entryKey(one, b))));
      assert.ok(entryKey(one, a) < endOfChain(one));
    }),
  );
});

void test('the place after an entry is behind every form of its key and before the next one', () => {
  fc.assert(
    fc.property(chain, entry, (one, weighed) => {
      const place = afterEntry(one, weighed.sequence);
      assert.ok(entryKey(one, weighed) < place);
      assert.ok(`${one}/${weighed.sequence.toString().padStart(16, '0')}` < place);
      assert.ok(place < entryKey(one, { ...weighed, sequence: weighed.sequence + 1 }));
    }),
  );
});

void test('no key of one chain lies within another', () => {
  fc.assert(
    fc.property(chain, chain, entry, (one, other, weighed) => {
      fc.pre(one !== other);
      const key = entryKey(other, weighed);
      assert.ok(key < afterEntry(one, 0) || key > endOfChain(one), `${key} in ${one}`);
    }),
  );
});

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
