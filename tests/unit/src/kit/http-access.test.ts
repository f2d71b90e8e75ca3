import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mayAsk, mayEnter, type HttpVisitor } from '../../../../src/kit/http-access.ts';
import { isLoopback } from '../../../../src/kit/loopback.ts';

const HERE: HttpVisitor = {
  isTls: false,
  remoteAddress: '127.0.0.1',
  host: 'localhost:8443',
  authorization: undefined,
};
const AWAY: HttpVisitor = { ...HERE, remoteAddress: '192.0.2.7' };

void test('plain HTTP is for this machine and its names, TLS for everybody under any name', () => {
  assert.equal(mayEnter(HERE, '0.0.0.0'), 'pass');
  assert.equal(mayEnter({ ...HERE, host: 'rebound.example' }, '0.0.0.0'), 'untrusted-host');
  assert.equal(mayEnter(AWAY, '0.0.0.0'), 'needs-tls');
  assert.equal(mayEnter({ ...AWAY, isTls: true, host: 'hub.plant' }, '0.0.0.0'), 'pass');
});

void test('from elsewhere nothing but the very token opens what is not open', () => {
  const shown = (authorization: string | undefined) =>
    mayAsk('admin', { ...AWAY, isTls: true, authorization }, 'secret');
  assert.equal(shown('Bearer secret'), 'pass');
  assert.equal(mayAsk('admin', { ...AWAY, authorization: 'Bearer undefined' }, undefined), 'unauthorized');
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.equal(shown(text), 'unauthorized');
      assert.equal(shown(`Bearer ${text}`), text.trim() === 'secret' ? 'pass' : 'unauthorized');
    }),
  );
});

void test('loopback is loopback in every spelling, and nothing that only looks like it', () => {
  for (const here of ['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1', 'localhost', 'LOCALHOST'])
    assert.equal(isLoopback(here), true, here);
  for (const away of ['0.0.0.0', '::', '10.0.0.1', '::ffff:10.0.0.1', '127.0.0.1.example', '1270.0.0.1', '', undefined])
    assert.equal(isLoopback(away), false, away);
});
