import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodeChallenge,
  decodeJoinGrant,
  decodeJoinRefusal,
  decodeJoinRequest,
  decodeRenewRequest,
  joinTokenText,
  parseJoinToken,
  parseSentToken,
  sentOfToken,
  signedOfRenewal,
} from '../../../../src/wire/join-messages.ts';

const part = fc.stringMatching(/^[A-Za-z0-9_-]{1,43}$/);
/** As decoders make objects: with a prototype. */
const plain = { noNullPrototype: true };
const token = fc.record({ id: part, secret: part, pin: part }, plain);
const filled = fc.string({ minLength: 1, maxLength: 100 });
const moment = fc.nat();

const joinRequest = { node: 'n', token: 'a.b', publicKey: 'U', time: 0 };
const grant = { node: 'n', jwt: 'j', expiresAt: 2, nats: { url: 'tls://h:1' }, ca: 'PEM', time: 1 };

test('a token is read as it was printed, also with the white space of a copied line around it', () => {
  fc.assert(
    fc.property(token, (each) => {
      assert.deepEqual(parseJoinToken(` ${joinTokenText(each)}\n`), each);
      assert.deepEqual(parseSentToken(sentOfToken(each)), { id: each.id, secret: each.secret });
    }),
  );
});

test('what is sent of a token does not hold the pin', () => {
  assert.equal(sentOfToken({ id: 'a', secret: 'b', pin: 'pin' }), 'a.b');
});

test('a text that is no token is not taken for one', () => {
  const long = 'a'.repeat(600);
  for (const text of ['', 'a', 'a.b', 'a.b.c.d', 'a..c', '.b.c', 'a.b.', 'a.b c.d', 'a.b.ü', `a.b.${long}`])
    assert.equal(parseJoinToken(text), undefined, text);
  for (const text of ['', 'a', 'a.', 'a.b.c', ' a.b', `a.${long}`]) assert.equal(parseSentToken(text), undefined, text);
});

test('messages are read as they were written', () => {
  fc.assert(
    fc.property(fc.record({ node: filled, token: filled, publicKey: filled, time: moment }, plain), (each) => {
      assert.deepEqual(decodeJoinRequest(JSON.parse(JSON.stringify(each))), each);
    }),
  );
  fc.assert(
    fc.property(fc.record({ error: filled, message: filled, time: moment }, plain), (each) => {
      assert.deepEqual(decodeJoinRefusal(JSON.stringify(each)), each);
    }),
  );
  assert.deepEqual(decodeJoinGrant(JSON.stringify(grant)), grant);
  assert.deepEqual(decodeChallenge('{"challenge":"c"}'), { challenge: 'c' });
});

test('a message that lacks a field, or has one of another type or beyond all length, is none', () => {
  const renewal = { node: 'n', publicKey: 'U', challenge: 'c', signature: 's' };
  const cases = [
    { whole: joinRequest, decode: decodeJoinRequest },
    { whole: renewal, decode: decodeRenewRequest },
    { whole: grant, decode: (body: unknown) => decodeJoinGrant(JSON.stringify(body)) },
    {
      whole: { error: 'E', message: 'm', time: 1 },
      decode: (body: unknown) => decodeJoinRefusal(JSON.stringify(body)),
    },
  ];
  for (const { whole, decode } of cases) {
    assert.deepEqual(decode(whole), whole);
    for (const field of Object.keys(whole)) {
      assert.equal(decode({ ...whole, [field]: undefined }), undefined, field);
      assert.equal(decode({ ...whole, [field]: true }), undefined, field);
    }
    assert.equal(decode({ ...whole, ['node' in whole ? 'node' : 'error']: 'a'.repeat(5000) }), undefined);
  }
});

test('whatever comes in place of a message is read without a throw', () => {
  fc.assert(
    fc.property(fc.anything(), fc.string(), (body, raw) => {
      decodeJoinRequest(body);
      decodeRenewRequest(body);
      assert.equal(decodeJoinGrant(raw), undefined);
      assert.equal(decodeJoinRefusal(raw), undefined);
    }),
  );
});

test('what is signed to renew differs with node, key and challenge', () => {
  const name = fc.stringMatching(/^[a-zA-Z0-9.-]{1,20}$/);
  const asked = fc.record({ node: name, publicKey: name, challenge: name });
  fc.assert(
    fc.property(asked, asked, (one, other) => {
      const isSame = Buffer.compare(signedOfRenewal(one), signedOfRenewal(other)) === 0;
      assert.equal(isSame, JSON.stringify(one) === JSON.stringify(other));
    }),
  );
});
