// Programs in the cloud with credentials of their own, and a NATS server that somebody else runs.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { connect, credsAuthenticator, type NatsConnection } from 'nats';
import { steadyPorts } from '../../../src/cli/free-ports.ts';
import { NatsUsers } from '../../../src/cloud/nats-users.ts';
import { systemClock } from '../../../src/kit/clock.ts';
import { chainSubject } from '../../../src/wire/nats-subjects.ts';
import type { NodeIdentity } from '../../../src/wire/node-identity.ts';
import { runProgram } from '../../support/program.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { HubWorld } from './running-hub.ts';

const SUBJECT = chainSubject('edge-a', 'twin', { namespace: 'default', name: 'pump' });
const HEARD = 'skerry.*.up.>';

async function open(t: TestContext): Promise<HubWorld> {
  const world = await HubWorld.open();
  t.after(() => world[Symbol.asyncDispose]());
  return world;
}

const hubDir = (world: HubWorld): string => join(world.dir, 'hub');

async function connectAs(t: TestContext, world: HubWorld, file: string): Promise<NatsConnection> {
  const authenticator = credsAuthenticator(await readFile(file));
  const servers = world.hub?.addresses.nats ?? '';
  const connection = await connect({ servers, authenticator, reconnect: false, inboxPrefix: '_INBOX_billing' });
  t.after(() => connection.close());
  return connection;
}

void test('a user hears what it was made for, does nothing else, and is cut off when it is removed', async (t) => {
  const world = await open(t);
  await world.startReadyHub();
  const users = new NatsUsers({ dataDir: hubDir(world) }, { clock: systemClock });

  const { file } = await users.create({ name: 'billing', subscribe: [HEARD] });
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const connection = await connectAs(t, world, file);
  const heard: string[] = [];
  connection.subscribe(HEARD, { callback: (_error, message) => void heard.push(message.subject) });
  await connection.flush();
  (await world.fullLink()).publish(SUBJECT, Buffer.from('[]'));
  await waitUntil('the message', () => heard.includes(SUBJECT));

  const violations: string[] = [];
  void (async () => {
    for await (const status of connection.status()) violations.push(status.permissionContext?.subject ?? '');
  })();
  connection.publish(SUBJECT, 'forged');
  for (const subject of ['>', '$KV.>', '_INBOX_edge-a.>']) connection.subscribe(subject, { callback: () => undefined });
  await connection.flush();
  await waitUntil('four refusals', () => violations.length >= 4);

  assert.deepEqual(
    (await users.list()).map(({ name, subscribe }) => [name, subscribe]),
    [['billing', [HEARD]]],
  );
  const kept = await readFile(file);
  await users.remove('billing');
  await waitUntil('it to be cut off', () => connection.isClosed());
  const authenticator = credsAuthenticator(kept);
  const again = connect({ servers: world.hub?.addresses.nats ?? '', authenticator, reconnect: false });
  await assert.rejects(again, /Authorization Violation/i);
  assert.deepEqual(await users.list(), []);
});

void test('a user that was removed while no hub ran stays out when one does', async (t) => {
  const world = await open(t);
  await world.startReadyHub();
  const users = new NatsUsers({ dataDir: hubDir(world) }, { clock: systemClock });
  const { file } = await users.create({ name: 'billing', subscribe: [HEARD] });
  const kept = await readFile(file);
  await world.stopHub();

  await users.remove('billing');
  await world.startReadyHub();

  const authenticator = credsAuthenticator(kept);
  const again = connect({ servers: world.hub?.addresses.nats ?? '', authenticator, reconnect: false });
  await assert.rejects(again, /Authorization Violation/i);
});

void test('names and subjects that cannot be are refused, and nothing is written', async (t) => {
  const world = await open(t);
  await world.startReadyHub();
  const users = new NatsUsers({ dataDir: hubDir(world) }, { clock: systemClock });

  for (const name of ['', '../x', 'Billing', 'a.b'])
    await assert.rejects(users.create({ name, subscribe: [HEARD] }), { code: 'NATS_USER_INVALID' });
  for (const filter of ['>', '*.up.>', '$KV.>', '_INBOX.>', 'skerry', 'skerry.>.up', 'skerry..up', 'skerry.a b'])
    await assert.rejects(users.create({ name: 'billing', subscribe: [filter] }), { code: 'NATS_USER_INVALID' });
  await assert.rejects(users.create({ name: 'billing', subscribe: [] }), { code: 'NATS_USER_INVALID' });
  await assert.rejects(users.remove('billing'), { code: 'NATS_USER_UNKNOWN' });
  await users.create({ name: 'billing', subscribe: [HEARD] });
  await assert.rejects(users.create({ name: 'billing', subscribe: [HEARD] }), { code: 'NATS_USER_EXISTS' });
  const elsewhere = new NatsUsers({ dataDir: join(world.dir, 'none') }, { clock: systemClock });
  await assert.rejects(elsewhere.create({ name: 'x', subscribe: [HEARD] }), { code: 'AUTHORITY_MISSING' });
  assert.deepEqual(
    (await users.list()).map(({ name }) => name),
    ['billing'],
  );
});

/** As the guide says: certificate, configuration, server. */
async function startServer(t: TestContext, world: HubWorld): Promise<string> {
  const [port = 0] = await steadyPorts(1);
  const tls = join(world.dir, 'nats-tls');
  const dataDir = ['--data-dir', hubDir(world)];
  const issued = await runProgram(['certificate', '127.0.0.1', 'localhost', '--out', tls, ...dataDir]);
  assert.equal(issued.code, 0, issued.stderr);
  const where = ['--listen', `0.0.0.0:${port}`, '--store', join(world.dir, 'nats-store')];
  const shown = ['--cert', join(tls, 'tls.crt'), '--key', join(tls, 'tls.key'), '--output', 'json'];
  const { code, stdout, stderr } = await runProgram(['nats-config', ...where, ...shown, ...dataDir]);
  assert.equal(code, 0, stderr);
  const file = join(world.dir, 'nats-server.conf');
  await writeFile(file, (JSON.parse(stdout) as { config: string }).config);
  const server = spawn('nats-server', ['-c', file], { stdio: 'ignore' });
  t.after(async () => {
    server.kill();
    await once(server, 'exit');
  });
  return `tls://127.0.0.1:${port}`;
}

void test('a server of somebody else that was set up as printed serves hub, nodes and users with the same rights', async (t) => {
  const world = await open(t);
  await world.startReadyHub();
  await world.stopHub();
  const url = await startServer(t, world);

  await world.startReadyHub({ nats: { kind: 'operator', url } });

  const file = join(hubDir(world), 'nodes', 'edge-a.json');
  const { nats, ca = '' } = JSON.parse(await readFile(file, 'utf8')) as NodeIdentity;
  assert.equal(nats.url, url);
  const users = new NatsUsers({ dataDir: hubDir(world) }, { clock: systemClock });
  const user = await users.create({ name: 'billing', subscribe: [HEARD] });
  const authenticator = credsAuthenticator(await readFile(user.file));
  const host = { host: '127.0.0.1', ca };
  const options = { servers: '127.0.0.1:' + new URL(url).port, authenticator, tls: host, reconnect: false };
  const connection = await connect(options);
  t.after(() => connection.close());
  await users.remove('billing');
  await waitUntil('the user to be cut off there', () => connection.isClosed());
});
