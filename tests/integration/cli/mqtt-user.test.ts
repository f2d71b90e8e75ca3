// `skerry mqtt-user` and the edge node whose users they are, both as programs.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { connectAsync, type MqttClient } from 'mqtt';
import { asObject, parseJson } from '../../../src/wire/json.ts';
import { issue, makeAuthority } from '../../support/openssl.ts';
import { startProgram, type Program } from '../../support/program.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { waitUntil } from '../../support/wait-until.ts';

const run = promisify(execFile);
const CREDENTIALS = '{"node":"alone","nats":{"url":"nats://127.0.0.1:9","user":"alone","password":"none"}}';

async function mqttUser(dir: string, ...args: string[]): Promise<Readonly<Record<string, unknown>>> {
  const flags = ['--data-dir', dir, '--output', 'json'];
  const { stdout } = await run(process.execPath, ['dist/bundle/skerry.js', 'mqtt-user', ...args, ...flags]);
  return asObject(parseJson(stdout)) ?? {};
}

async function folder(t: TestContext): Promise<string> {
  const dir = await tempDir();
  t.after(() => dir[Symbol.asyncDispose]());
  await writeFile(join(dir.path, 'node.json'), CREDENTIALS, { mode: 0o600 });
  return dir.path;
}

async function startEdge(t: TestContext, dir: string, ...more: string[]): Promise<Program> {
  const files = ['--data-dir', dir, '--credentials', join(dir, 'node.json')];
  const sockets = ['--mqtt-ws', 'off', '--http', '127.0.0.1:0', ...more];
  const edge = await startProgram(['edge', ...files, ...sockets]);
  t.after(() => edge.kill());
  return edge;
}

async function come(t: TestContext, url: string, username: string, password: string, ca = ''): Promise<MqttClient> {
  const client = await connectAsync(url.replace('0.0.0.0', '127.0.0.1'), {
    username,
    password,
    ca,
    reconnectPeriod: 0,
  });
  t.after(() => client.endAsync(true));
  return client;
}

void test('a node that other machines would reach refuses to start before there is a user, and says how to add one', async (t) => {
  const dir = await folder(t);

  await assert.rejects(startEdge(t, dir, '--mqtt', '0.0.0.0:0'), /BROKER_USERS_MISSING.*skerry mqtt-user add NAME/s);
});

void test('users that are added and removed come in and are cut off, by TLS, while the node runs; the file is private and holds no password', async (t) => {
  const dir = await folder(t);
  const authority = makeAuthority(dir, 'authority');
  const { certificateFile, keyFile } = issue(dir, authority, 'server', 'gateway');
  const { password: first } = await mqttUser(dir, 'add', 'counter');
  const tls = ['--mqtt-tls', '0.0.0.0:0', '--mqtt-cert', certificateFile, '--mqtt-key', keyFile];
  const edge = await startEdge(t, dir, '--mqtt', '127.0.0.1:0', ...tls);
  const url = edge.text('mqttTls');
  const counter = await come(t, url, 'counter', String(first), authority.certificate);
  let isCut = false;
  counter.once('close', () => (isCut = true));

  const { password: second } = await mqttUser(dir, 'add', 'plant/pump');
  await mqttUser(dir, 'remove', 'counter');
  await waitUntil('the removed user to be cut off', () => isCut);
  const pump = await waitUntil('the new user', () => come(t, url, 'plant/pump', String(second), authority.certificate));

  await pump.publishAsync('hall/light', 'on', { qos: 1 });
  assert.deepEqual(await mqttUser(dir, 'list'), { users: ['plant/pump'] });
  assert.equal((await stat(join(dir, 'mqtt-users'))).mode & 0o777, 0o600);
  for (const secret of [first, second]) assert.ok(!edge.log().includes(String(secret)), 'a password is in the log');
  await assert.rejects(mqttUser(dir, 'remove', 'counter'), { stdout: /MQTT_USER_UNKNOWN/ });
  await assert.rejects(mqttUser(dir, 'add', '+'), { stdout: /OPTION_INVALID/ });
});

void test('an access file that becomes wrong is said, and what it held before stands', async (t) => {
  const dir = await folder(t);
  const acl = join(dir, 'acl');
  await writeFile(acl, 'topic read weather\n');
  const edge = await startEdge(t, dir, '--mqtt', '127.0.0.1:0', '--mqtt-acl', acl);
  const client = await come(t, edge.text('mqtt'), '', '');
  await client.subscribeAsync('weather');

  await writeFile(acl, 'topic read weather\nallow all\n');
  await waitUntil('it to be said', () => /a file has changed and is wrong/.test(edge.log()));
  await assert.rejects(client.subscribeAsync('#'));
  await writeFile(acl, 'topic read #\n');

  await waitUntil('the new rights', () => client.subscribeAsync('#').then(() => true));
});
