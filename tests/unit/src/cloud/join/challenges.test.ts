import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Challenges } from '../../../../../src/cloud/join/challenges.ts';

const WHO = { node: 'plant-1', publicKey: 'U1' };

test('a challenge is good for a minute, and for the node and key that it was made for', () => {
  const challenges = new Challenges();
  const made = challenges.make(WHO, 1000);
  assert.equal(challenges.isGood(made, WHO, 1000), true);
  assert.equal(challenges.isGood(made, WHO, 60_999), true);
  assert.equal(challenges.isGood(made, WHO, 61_000), false);
  assert.equal(challenges.isGood(made, { ...WHO, node: 'plant-2' }, 1000), false);
  assert.equal(challenges.isGood(made, { ...WHO, publicKey: 'U2' }, 1000), false);
});

test('no two challenges are the same, and none is good at another hub', () => {
  const challenges = new Challenges();
  assert.notEqual(challenges.make(WHO, 1000), challenges.make(WHO, 1000));
  assert.equal(new Challenges().isGood(challenges.make(WHO, 1000), WHO, 1000), false);
});

test('a challenge that was changed anywhere, or made up, is not good', () => {
  const challenges = new Challenges();
  const made = challenges.make(WHO, 1000);
  fc.assert(
    fc.property(fc.nat({ max: made.length - 2 }), fc.constantFrom('a', '7', '.', ''), (at, put) => {
      const changed = `${made.slice(0, at)}${put}${made.slice(at + 1)}`;
      assert.equal(challenges.isGood(changed, WHO, 1000), changed === made);
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => assert.equal(challenges.isGood(text, WHO, 1000), false)));
});
