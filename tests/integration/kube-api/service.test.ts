/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access -- answers have many shapes, and the assertions are what checks them */
import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { X509Certificate } from 'node:crypto';
import { parse } from 'yaml';
import { Deadline } from '../../../src/kit/deadline.ts';
import { codeOf } from '../../../src/kit/errors.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { ms } from '../../../src/kit/units.ts';
import { createKubeApi } from '../../../src/kube-api/kube-api.ts';
import { Client, eventually, startApi, stopApi, temporaryDirectory, type AnyJson } from './harness.ts';
import { CONFIG_MAPS, configMap } from './samples.ts';
import { stopsByItself } from '../../support/stops.ts';

const tools = { logger: silentLogger };
const never = new AbortController().signal;
const localhost = (dataDir: string, port = 0) => createKubeApi({ dataDir, host: '127.0.0.1', port }, tools);

test('the files that give access are for their owner only', async (t) => {
  const { dataDir } = await startApi(t);

  for (const file of [
    'kubeconfig',
    'kube-api-credentials/ca.pem',
    'kube-api-credentials/token',
    'kube-api-credentials/server.pem',
  ]) {
    assert.equal((await stat(join(dataDir, file))).mode & 0o777, 0o600, file);
  }
  assert.equal((await stat(dataDir)).mode & 0o777, 0o700);
});

test('the kubeconfig names its context, cluster and user skerry and needs no other file', async (t) => {
  const { api } = await startApi(t);

  const config = parse(await readFile(api.kubeconfigFile, 'utf8'));

  assert.equal(config['current-context'], 'skerry');
  assert.deepEqual(config.contexts, [{ name: 'skerry', context: { cluster: 'skerry', user: 'skerry' } }]);
  assert.equal(config.clusters[0].cluster.server, api.url);
});

test('a restart keeps objects, token and CA', async (t) => {
  const first = await startApi(t);
  await first.client.post(CONFIG_MAPS, configMap('kept', { a: 'b' }));
  const before = parse(await readFile(first.api.kubeconfigFile, 'utf8'));
  await stopApi(first.api);

  const second = await startApi(t, first.dataDir);

  const after = parse(await readFile(second.api.kubeconfigFile, 'utf8'));
  assert.deepEqual(after.users, before.users);
  assert.equal(
    after.clusters[0].cluster['certificate-authority-data'],
    before.clusters[0].cluster['certificate-authority-data'],
  );
  assert.equal((await second.client.get(`${CONFIG_MAPS}/kept`)).body.data.a, 'b');
});

test('one service can be started again after a stop', async (t) => {
  const { api } = await startApi(t);
  await stopApi(api);
  await stopApi(api);

  await api.start(never);

  const client = await Client.of(api.kubeconfigFile);
  assert.equal((await client.get('/readyz')).text, 'ok');
  assert.equal(api.health().state, 'ok');
});

test('the server certificate is issued again for another host, by the same CA', async (t) => {
  const dataDir = await temporaryDirectory();
  const first = await startApi(t, dataDir);
  await stopApi(first.api);
  const ca = await readFile(join(dataDir, 'kube-api-credentials/ca.pem'), 'utf8');

  const second = createKubeApi({ dataDir, host: '127.0.0.2', port: 0 }, tools);
  await second.start(never);
  t.after(() => stopApi(second));

  const pem = await readFile(join(dataDir, 'kube-api-credentials/server.pem'), 'utf8');
  assert.match(
    new X509Certificate(pem.slice(pem.indexOf('-----BEGIN CERT'))).subjectAltName ?? '',
    /IP Address:127\.0\.0\.2/,
  );
  assert.equal(await readFile(join(dataDir, 'kube-api-credentials/ca.pem'), 'utf8'), ca);
  assert.equal((await (await Client.of(second.kubeconfigFile)).get('/readyz')).text, 'ok');
});

test('a port in use is refused with its address, and leaves nothing open', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  const { port } = other.address() as { port: number };
  const dataDir = await temporaryDirectory();

  const failure: AnyJson = await localhost(dataDir, port)
    .start(never)
    .then(
      () => undefined,
      (error: unknown) => error,
    );

  assert.equal(codeOf(failure), 'KUBE_API_PORT_IN_USE');
  assert.deepEqual(failure.details, { host: '127.0.0.1', port });
  const again = localhost(dataDir);
  await again.start(never);
  await stopApi(again);
});

test('a data directory serves one process at a time', async (t) => {
  const { dataDir } = await startApi(t);

  await assert.rejects(localhost(dataDir).start(never), (error) => codeOf(error) === 'KUBE_API_STORE_LOCKED');
});

test('a data directory that is a file is refused', async () => {
  const file = join(await temporaryDirectory(), 'file');
  await writeFile(file, '');

  await assert.rejects(localhost(file).start(never), (error) => codeOf(error) === 'KUBE_API_DATA_DIR_UNUSABLE');
});

test('a start that is aborted opens nothing', async () => {
  const dataDir = await temporaryDirectory();

  await assert.rejects(localhost(dataDir).start(AbortSignal.abort()), { name: 'AbortError' });

  const again = localhost(dataDir);
  await again.start(never);
  await stopApi(again);
});

test('a stop during the start ends it', async () => {
  const dataDir = await temporaryDirectory();
  const api = localhost(dataDir);

  const starting = api.start(never);
  await Promise.all([assert.rejects(starting, { name: 'AbortError' }), stopApi(api)]);

  const again = localhost(dataDir);
  await again.start(never);
  await stopApi(again);
});

test('a stop before the start is nothing', async () => {
  await localhost(await temporaryDirectory()).stop(Deadline.after(ms(100)));
});

test('a stop ends open watches and connections in time', async (t) => {
  const { api, client } = await startApi(t);
  const watch = await client.watch(t, `${CONFIG_MAPS}?watch=true`);

  await stopsByItself(api);

  await eventually('the watch to end', () => watch.isOver);
});

test('an event is forgotten an hour after it last happened', async (t) => {
  let now = Date.now();
  const clock = { now: () => now, monotonic: () => performance.now() };
  const api = createKubeApi({ dataDir: await temporaryDirectory(), host: '127.0.0.1', port: 0 }, { ...tools, clock });
  await api.start(never);
  t.after(() => stopApi(api));
  const client = await Client.of(api.kubeconfigFile);
  const events = '/api/v1/namespaces/default/events';
  await client.post(events, {
    metadata: { name: 'e1' },
    involvedObject: { kind: 'Device', name: 'd' },
    reason: 'Offline',
  });

  now += 59 * 60_000;
  const kept = await client.get(`${events}?fieldSelector=involvedObject.name=d,reason=Offline`);
  now += 2 * 60_000;
  const forgotten = await client.get(events);

  assert.equal(kept.body.items.length, 1);
  assert.equal(forgotten.body.items.length, 0);
  assert.equal((await client.get(`${events}/e1`)).code, 404);
});
