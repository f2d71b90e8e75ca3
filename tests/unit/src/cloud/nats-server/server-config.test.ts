import assert from 'node:assert/strict';
import { test } from 'node:test';
import { portsToTry } from '../../../../../src/cloud/nats-server/port-choice.ts';
import {
  configText,
  isAtLeast,
  parseVersion,
  type ServerShape,
} from '../../../../../src/cloud/nats-server/server-config.ts';

const shape: ServerShape = {
  name: 'skerry-1',
  host: '127.0.0.1',
  port: 4222,
  files: { config: '/d/c', pid: '/d/p', log: '/d/l', store: '/d/s', address: '/d/a' },
  users: [{ user: 'hub', password: 'a"b' }],
  version: [2, 9, 10],
};

test('servers that know the setting sync every write, older ones are not given it', () => {
  assert.doesNotMatch(configText(shape), /sync_interval/);
  assert.match(configText({ ...shape, version: [2, 10, 0] }), /sync_interval: always/);
});

test('what a user is called cannot break out of its place in the file', () => {
  assert.match(configText(shape), /password: "a\\"b"/);
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
