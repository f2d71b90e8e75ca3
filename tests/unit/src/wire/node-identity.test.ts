import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeNodeIdentity, encodeNodeIdentity, type NodeIdentity } from '../../../../src/wire/node-identity.ts';

const PLAIN = { noNullPrototype: true };
const text = fc.string({ minLength: 1 });
const identity: fc.Arbitrary<NodeIdentity> = fc.record(
  {
    node: text,
    hub: text,
    ca: text,
    nats: fc.oneof(
      fc.record({ url: text, jwt: text, seed: text }, PLAIN),
      fc.record({ url: text, user: text, password: text }, PLAIN),
    ),
  },
  { requiredKeys: ['node', 'nats'], noNullPrototype: true },
);

void test('what is written is read again', () => {
  fc.assert(fc.property(identity, (some) => assert.deepEqual(decodeNodeIdentity(encodeNodeIdentity(some)), some)));
});

void test('any text is an identity or has a named problem, which repeats nothing of it', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (some) => {
      const decoded = decodeNodeIdentity(some);
      if ('problem' in decoded) assert.match(decoded.problem, /^(is not a JSON object|lacks the field "[a-z.]+")$/);
    }),
  );
});

for (const { has, lacks } of [
  { has: { user: 'node-a' }, lacks: 'nats.password' },
  { has: { password: 'secret' }, lacks: 'nats.user' },
  { has: { jwt: 'ey' }, lacks: 'nats.seed' },
  { has: { seed: 'SU' }, lacks: 'nats.jwt' },
  { has: {}, lacks: 'nats.jwt' },
])
  void test(`with ${Object.keys(has).join() || 'nothing'} alone, ${lacks} is named as missing`, () => {
    const found = decodeNodeIdentity(JSON.stringify({ node: 'a', nats: { url: 'nats://h', ...has } }));
    assert.deepEqual(found, { problem: `lacks the field "${lacks}"` });
  });
