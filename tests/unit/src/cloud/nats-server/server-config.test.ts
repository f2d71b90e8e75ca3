import assert from 'node:assert/strict';
import { test } from 'node:test';
import { portsToTry } from '../../../../../src/cloud/nats-server/port-choice.ts';
import {
  configText,
  identityLine,
  isAtLeast,
  parseVersion,
  type ServerShape,
} from '../../../../../src/cloud/nats-server/server-config.ts';

const shape: ServerShape = {
  name: 'skerry-1',
  host: '127.0.0.1',
  port: 4222,
  files: { config: '/d/c', pid: '/d/p', log: '/d/l', store: '/d/s', address: '/d/a', accounts: '/d/j' },
  operator: {
    jwt: 'ey.operator',
    systemAccount: { publicKey: 'ASYS', jwt: 'ey.system' },
    account: { publicKey: 'AOUR', jwt: 'ey.account' },
  },
  tls: undefined,
  version: [2, 9, 10],
};

test('servers that know the setting sync every write, older ones are not given it', () => {
  assert.doesNotMatch(configText(shape), /sync_interval/);
  assert.match(configText({ ...shape, version: [2, 10, 0] }), /sync_interval: always/);
});

test('the server is given the operator and its two accounts, and no user', () => {
  const text = configText(shape);
  assert.match(text, /^operator: ey\.operator$/m);
  assert.match(text, /^system_account: ASYS$/m);
  assert.match(text, /resolver_preload \{\n {2}ASYS: ey\.system\n {2}AOUR: ey\.account\n\}/);
  assert.doesNotMatch(text, /authorization|no_auth_user|password/);
});

test('another account or address makes another server, a newly signed JWT of the same account does not', () => {
  const line = identityLine(shape);
  const { operator } = shape;
  const signedAgain = { ...operator, account: { ...operator.account, jwt: 'ey.account.again' } };
  const other = { ...operator, account: { ...operator.account, publicKey: 'AOTHER' } };

  assert.ok(configText(shape).split('\n').includes(line));
  assert.equal(identityLine({ ...shape, operator: signedAgain }), line);
  assert.notEqual(identityLine({ ...shape, operator: other }), line);
  assert.notEqual(identityLine({ ...shape, port: 4223 }), line);
});

test('versions are compared part by part', () => {
  assert.deepEqual(parseVersion('nats-server: v2.9.10\n'), [2, 9, 10]);
  assert.equal(parseVersion('no version'), undefined);
  assert.equal(isAtLeast([2, 10, 1], [2, 9, 0]), true);
  assert.equal(isAtLeast([2, 9, 0], [2, 9, 0]), true);
  assert.equal(isAtLeast([2, 8, 9], [2, 9, 0]), false);
  assert.equal(isAtLeast([1, 11, 0], [2, 9, 0]), false);
});

test('a port asked for by name is the only one tried; the usual one is preceded by the one of last time', () => {
  const at = (port: number, portAskedFor: boolean): { host: string; port: number; portAskedFor: boolean } => ({
    host: '127.0.0.1',
    port,
    portAskedFor,
  });

  assert.deepEqual(portsToTry(at(4222, true), 5000), [4222]);
  assert.deepEqual(portsToTry(at(4222, false), undefined), [4222, 0]);
  assert.deepEqual(portsToTry(at(4222, false), 5000), [5000, 4222, 0]);
  assert.deepEqual(portsToTry(at(0, true), 5000), [5000, 0]);
  assert.deepEqual(portsToTry(at(0, true), undefined), [0]);
});
