import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { codeOf } from '../../../../../src/kit/errors.ts';
import {
  decodeToken,
  hashOfSecret,
  matches,
  redeem,
  usesLeft,
  type TokenRecord,
} from '../../../../../src/cloud/join/join-token.ts';

const SECRET = 'secret';

const token = (changes: Partial<TokenRecord> = {}): TokenRecord => ({
  id: 'a1',
  secretHash: hashOfSecret(SECRET),
  createdAt: 0,
  expiresAt: 1000,
  uses: 1,
  redeemed: [],
  ...changes,
});

const presented = (node = 'plant-1', publicKey = 'U1', secret = SECRET) => ({ node, publicKey, secret });

const refusal = (code: string) => (error: unknown) => codeOf(error) === code;

test('a token lets a node join, and says that it has', () => {
  const after = redeem(token(), presented(), 10);
  assert.deepEqual(after?.redeemed, [{ node: 'plant-1', publicKey: 'U1', at: 10 }]);
});

test('the same node with the same key may ask again, also when the token is used up and has expired', () => {
  const after = redeem(token(), presented(), 10);
  assert.equal(redeem(after, presented(), 5000), undefined);
});

test('a wrong secret learns no more than that of a token that is not there', () => {
  const used = token({ expiresAt: 5, uses: 0, nodePattern: 'other' });
  for (const each of [undefined, used, token()])
    assert.throws(() => redeem(each, presented('plant-1', 'U1', 'guess'), 10), refusal('JOIN_TOKEN_UNKNOWN'));
  assert.throws(() => redeem(undefined, presented('plant-1', 'U1', ''), 10), refusal('JOIN_TOKEN_UNKNOWN'));
});

test('a token ends at its time, not before', () => {
  assert.ok(redeem(token(), presented(), 999));
  assert.throws(() => redeem(token(), presented(), 1000), refusal('JOIN_TOKEN_EXPIRED'));
});

test('a token that is used up refuses another node, and the same node with another key', () => {
  const after = redeem(token(), presented(), 10);
  assert.throws(() => redeem(after, presented('plant-2'), 11), refusal('JOIN_TOKEN_USED_UP'));
  assert.throws(() => redeem(after, presented('plant-1', 'U2'), 11), refusal('JOIN_TOKEN_USED_UP'));
});

test('a token for some names refuses others, and is not used by that', () => {
  const some = token({ nodePattern: 'plant-*' });
  assert.ok(redeem(some, presented('plant-7'), 10));
  assert.throws(() => redeem(some, presented('shop-7'), 10), refusal('JOIN_TOKEN_NODE'));
});

test('however many ask, and however often, no more nodes join than the token has uses', () => {
  const asked = fc.record({ node: fc.constantFrom('a', 'b', 'c', 'd'), publicKey: fc.constantFrom('U1', 'U2') });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(asked, { maxLength: 30 }), (uses, asks) => {
      let present = token({ uses });
      const letIn = new Set<string>();
      for (const { node, publicKey } of asks) {
        const isKnown = letIn.has(`${node} ${publicKey}`);
        try {
          const after = redeem(present, presented(node, publicKey), 10);
          assert.equal(after === undefined, isKnown);
          present = after ?? present;
          letIn.add(`${node} ${publicKey}`);
        } catch (error) {
          assert.ok(refusal('JOIN_TOKEN_USED_UP')(error));
          assert.ok(!isKnown && letIn.size === uses);
        }
      }
      assert.equal(usesLeft(present), uses - letIn.size);
      assert.ok(letIn.size <= uses);
    }),
  );
});

test('a pattern takes what a regular expression with .* for each star takes', () => {
  const name = fc.stringMatching(/^[ab.-]{0,8}$/);
  const pattern = fc.stringMatching(/^[ab.*-]{0,6}$/);
  fc.assert(
    fc.property(pattern, name, (wanted, each) => {
      const expression = wanted
        .split('*')
        .map((part) => part.replaceAll('.', '\\.'))
        .join('.*');
      assert.equal(matches(wanted, each), new RegExp(`^${expression}$`).test(each));
    }),
    { numRuns: 2000 },
  );
});

test('a token is read as it was written, and one with a part that cannot be read is none', () => {
  const kept = token({ nodePattern: 'a*', redeemed: [{ node: 'a', publicKey: 'U1', at: 3 }] });
  assert.deepEqual(decodeToken(JSON.parse(JSON.stringify(kept)) as Record<string, unknown>), kept);
  for (const field of ['id', 'secretHash', 'createdAt', 'expiresAt', 'uses'])
    assert.equal(decodeToken({ ...kept, [field]: null }), undefined, field);
  assert.equal(decodeToken({ ...kept, redeemed: [{ node: 'a' }] }), undefined);
  assert.equal(decodeToken({ ...kept, secretHash: '' }), undefined);
});
