import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { endOfChain, entryKey, parseEntryKey } from '../../../../../src/edge/outbox/outbox-key.ts';
import { chainSubject } from '../../../../../src/wire/nats-subjects.ts';

const name = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,8}[a-z0-9])?$/);
const chain = fc
  .tuple(name, fc.constantFrom('twin', 'event' as const), name, name)
  .map(([node, kind, namespace, device]) => chainSubject(node, kind, { namespace, name: device }));
const sequence = fc.maxSafeNat();

void test('a key gives back its chain and sequence', () => {
  fc.assert(
    fc.property(chain, sequence, (one, n) => {
      assert.deepEqual(parseEntryKey(entryKey(one, n)), { chain: one, sequence: n });
    }),
  );
});

void test('the keys of one chain are in the order of their sequences and before its end', () => {
  fc.assert(
    fc.property(chain, sequence, sequence, (one, a, b) => {
      assert.equal(Math.sign(a - b), Math.sign(compare(entryKey(one, a), entryKey(one, b))));
      assert.ok(entryKey(one, a) < endOfChain(one));
    }),
  );
});

void test('no key of one chain lies within another', () => {
  fc.assert(
    fc.property(chain, chain, sequence, (one, other, n) => {
      fc.pre(one !== other);
      const key = entryKey(other, n);
      assert.ok(key < entryKey(one, 0) || key > endOfChain(one), `${key} in ${one}`);
    }),
  );
});

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
