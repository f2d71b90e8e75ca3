import assert from 'node:assert/strict';
import { test } from 'node:test';
import { doorOf, LOOPBACK_DOOR, standingOf } from '../../../../broker/access/standing.ts';

const password = Buffer.from('secret');

void test('only what listens on loopback lets in who does not say who it is', () => {
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) assert.equal(doorOf(host).asksWho, false, host);
  for (const host of ['0.0.0.0', '::', '192.168.1.5', 'gateway.local', '127.evil.example', '::ffff:10.0.0.1'])
    assert.equal(doorOf(host).asksWho, true, host);
});

void test('on loopback a name means nothing before there are users, and is a claim after', () => {
  assert.equal(standingOf({ username: 'any', password }, LOOPBACK_DOOR, false).kind, 'anonymous');
  assert.equal(standingOf({ username: 'any', password }, LOOPBACK_DOOR, true).kind, 'claims');
  assert.equal(standingOf({}, LOOPBACK_DOOR, true).kind, 'anonymous');
});

void test('elsewhere nobody comes in without a name', () => {
  for (const connecting of [{}, { username: '' }, { username: '', password }])
    assert.equal(standingOf(connecting, { asksWho: true }, true).kind, 'refused');
  assert.equal(standingOf({ username: 'pump', password }, { asksWho: true }, false).kind, 'claims');
});

void test('a certificate says who it is, and a CONNECT may not say that it is somebody else', () => {
  const door = { asksWho: true, certificate: 'plant/pump' };

  assert.deepEqual(standingOf({}, door, false), { kind: 'certified', user: 'plant/pump' });
  assert.deepEqual(standingOf({ username: 'plant/pump' }, door, true), { kind: 'certified', user: 'plant/pump' });
  assert.equal(standingOf({ username: 'plant/valve', password }, door, true).kind, 'refused');
  assert.equal(standingOf({}, { asksWho: true, certificate: '#' }, true).kind, 'refused');
});
