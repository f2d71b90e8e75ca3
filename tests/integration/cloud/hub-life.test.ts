import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createHub } from '../../../src/cloud/hub.ts';
import { createKubeApi } from '../../../src/kube-api/kube-api.ts';
import { Deadline } from '../../../src/kit/deadline.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { seconds } from '../../../src/kit/units.ts';
import { readLast } from '../../../src/nats/direct-get.ts';
import type { NatsLink } from '../../../src/nats/nats-link.ts';
import { decodeIndex, type DesiredIndex } from '../../../src/wire/desired.ts';
import { encodeBatch, encodeFact } from '../../../src/wire/device-events.ts';
import {
  bucketSubject,
  chainSubject,
  DESIRED_BUCKET,
  DESIRED_STREAM,
  indexKey,
  UP_STREAM,
} from '../../../src/wire/nats-subjects.ts';
import { startNats } from '../../support/nats-server.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { hubConfig, HubWorld, tempDir } from './running-hub.ts';
import { stopsByItself } from '../../support/stops.ts';

const NEVER = new AbortController().signal;

async function indexOver(link: NatsLink): Promise<DesiredIndex | undefined> {
  const subject = bucketSubject(DESIRED_BUCKET, indexKey('edge-a'));
  const entry = await readLast(link, DESIRED_STREAM, subject).catch(() => undefined);
  return entry === undefined ? undefined : decodeIndex(entry.data);
}

async function hubProcess(world: HubWorld): Promise<{ process: ChildProcess; natsServerPid: number; nats: string }> {
  const script = join(import.meta.dirname, 'hub-process.js');
  const child = spawn(process.execPath, [script, world.dir, world.kube.kubeconfigFile], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return { process: child, ...(JSON.parse(said.toString()) as { natsServerPid: number; nats: string }) };
}

test('a second hub on the same data dir is refused, naming the first; a killed first is no obstacle', async () => {
  await using world = await HubWorld.open();
  const first = await hubProcess(world);

  await assert.rejects(world.startHub(), {
    code: 'HUB_DATA_DIR_IN_USE',
    message: new RegExp(`process id ${first.process.pid}`),
  });
  first.process.kill('SIGKILL');
  await once(first.process, 'exit');

  const second = await world.startReadyHub();
  assert.equal(second.natsServerPid, first.natsServerPid);
  assert.equal(second.addresses.nats, first.nats);
});

test('a kubeconfig that cannot be used is refused at once, naming the file', async () => {
  const dir = await tempDir();
  const file = join(dir, 'kubeconfig');
  const refused = { code: 'KUBE_CONFIG_INVALID', message: new RegExp(file) };

  assert.throws(() => createHub(hubConfig(dir, file), { logger: silentLogger }), refused);
  await writeFile(file, 'clusters: [');
  assert.throws(() => createHub(hubConfig(dir, file), { logger: silentLogger }), refused);
  await writeFile(file, '{}');
  assert.throws(() => createHub(hubConfig(dir, file), { logger: silentLogger }), refused);

  await rm(dir, { recursive: true });
});

test('a folder without definitions is refused at start, and the nats-server does not stay behind', async () => {
  await using world = await HubWorld.open();
  const config = hubConfig(world.dir, world.kube.kubeconfigFile, { crdDir: world.dir });
  const hub = createHub(config, { logger: silentLogger });

  await assert.rejects(hub.start(NEVER), { code: 'CRD_FILES_INVALID' });

  const pid = await readFile(join(config.dataDir, 'nats', 'nats-server.pid'), 'utf8').catch(() => '0');
  assert.equal(hub.natsServerPid, undefined, `pid file: ${pid}`);
});

test('a hub whose Kubernetes is away starts, says so, and works when it comes', async () => {
  const dir = await tempDir();
  const config = { dataDir: join(dir, 'kube'), host: '127.0.0.1', port: 0 };
  const early = createKubeApi(config, { logger: silentLogger });
  await early.start(NEVER);
  const port = Number(new URL(early.url).port);
  await early.stop(Deadline.after(seconds(5)));

  const hub = createHub(hubConfig(dir, early.kubeconfigFile), { logger: silentLogger });
  await hub.start(NEVER);
  const answer = await fetch(`${hub.addresses.http}/readyz`);
  const body = (await answer.json()) as { state: string; parts: Record<string, { state: string }> };
  assert.deepEqual([answer.status, body.state, body.parts['watch-device']?.state], [503, 'degraded', 'degraded']);
  assert.equal((await fetch(`${hub.addresses.http}/healthz`)).status, 200);

  const late = createKubeApi({ ...config, port }, { logger: silentLogger });
  await late.start(NEVER);
  await waitUntil(
    'the hub to be ready',
    async () => (await fetch(`${hub.addresses.http}/readyz`)).status === 200,
    15_000,
  );

  await hub.stop(Deadline.after(seconds(10)));
  await late.stop(Deadline.after(seconds(5)));
  await rm(dir, { recursive: true });
});

test('devices made and deleted while the API server was away from the hub are seen afterwards', async () => {
  await using world = await HubWorld.open();
  await world.startReadyHub();
  await world.createModel();
  await world.createCounter('stays');
  await world.createCounter('goes');
  const link = await world.fullLink();
  await waitUntil(
    'two devices in the index',
    async () => Object.keys((await indexOver(link))?.keys ?? {}).length === 2,
  );

  await world.restartKube(async (client) => {
    await client.request({
      method: 'DELETE',
      path: '/apis/devices.kubeedge.io/v1beta1/namespaces/default/devices/goes',
    });
  });

  const keys = await waitUntil(
    'one device in the index',
    async () => {
      const found = Object.keys((await indexOver(link))?.keys ?? {});
      return found.length === 1 ? found : undefined;
    },
    15_000,
  );
  assert.deepEqual(keys, ['edge-a.device.default.stays']);
});

test('a report that a hub took while Kubernetes was away outlives that hub, and the next one has it at once', async (t) => {
  await using world = await HubWorld.open();
  const first = await hubProcess(world);
  const link = await world.fullLink(first.nats);
  await waitUntil('the definitions to be served', () => world.createModel().then(() => true));
  await world.createCounter('counter');
  await waitUntil('the index', async () => Object.keys((await indexOver(link))?.keys ?? {}).length === 1);
  const device = { namespace: 'default', name: 'counter' };
  const uid = (await world.device('counter'))?.metadata.uid ?? '';

  await world.restartKube(async () => {
    const change = { kind: 'reported', property: 'count', type: 'INT', value: '7', n: 1 } as const;
    const fact = { device, uid, binding: 1, at: Date.now(), changes: [change] };
    const stamp = { node: 'edge-a', id: 'inc.1', term: 1, historical: false };
    await link.request(chainSubject('edge-a', 'twin', device), encodeBatch([encodeFact(fact, stamp)]));
    await waitUntil('the report to be in the hands of the hub', async () => {
      const jsm = await link.jetStreamConnection()?.jetstreamManager();
      const [consumer] = (await jsm?.consumers.list(UP_STREAM).next()) ?? [];
      return consumer?.num_ack_pending === 1;
    });
    first.process.kill('SIGKILL');
    await once(first.process, 'exit');
  });
  const begun = performance.now();
  await world.startReadyHub();

  await waitUntil('the status', async () => (await world.device('counter'))?.status?.summary === 'count=7');
  t.diagnostic(`the status was right ${Math.round(performance.now() - begun)} ms after the next hub was started`);
});

test('a desired bucket that was lost is filled again, under another identity', async () => {
  await using world = await HubWorld.open();
  await world.startReadyHub();
  await world.createModel();
  await world.createCounter('counter');
  const link = await world.fullLink();
  const before = await waitUntil('the index', async () => {
    const found = await indexOver(link);
    return Object.keys(found?.keys ?? {}).length === 1 ? found : undefined;
  });
  const jsm = await link.jetStreamConnection()?.jetstreamManager();
  await jsm?.streams.delete(DESIRED_STREAM);

  process.kill(world.hub?.natsServerPid ?? 0, 'SIGKILL');

  const after = await waitUntil(
    'another index',
    async () => {
      const found = await indexOver(link);
      return found !== undefined && found.bucket !== before.bucket ? found : undefined;
    },
    15_000,
  );
  assert.deepEqual(Object.keys(after.keys), Object.keys(before.keys));
});

test('most devices of a node deleted while no hub ran are removed after the second look', async () => {
  await using world = await HubWorld.open();
  await world.startReadyHub();
  await world.createModel();
  for (let n = 0; n < 14; n += 1) await world.createCounter(`counter-${n}`);
  const first = await world.fullLink();
  await waitUntil('14 devices', async () => Object.keys((await indexOver(first))?.keys ?? {}).length === 14);
  await world.stopHub();
  for (let n = 1; n < 14; n += 1) await world.remove('devices', `counter-${n}`);

  await world.startReadyHub();

  const link = await world.fullLink();
  await waitUntil('one device', async () => Object.keys((await indexOver(link))?.keys ?? {}).length === 1);
});

test('a hub works with a nats-server of somebody else, and makes no users there', async () => {
  await using nats = await startNats();
  await using world = await HubWorld.open();
  const external = { kind: 'external', url: nats.url, user: nats.user, password: nats.password } as const;
  const config = hubConfig(world.dir, world.kube.kubeconfigFile, { nats: external });
  assert.throws(() => createHub(config, { logger: silentLogger }), { code: 'ADMISSION_NEEDS_MANAGED_NATS' });

  const hub = await world.startReadyHub({ nats: external, localNodes: [] });

  await assert.rejects(hub.admitLocalNode('edge-b'), { code: 'ADMISSION_NEEDS_MANAGED_NATS' });
  assert.equal(hub.addresses.nats, nats.url);
});

test('a hub stops well within its deadline and leaves no nats-server behind', async () => {
  await using world = await HubWorld.open();
  const hub = await world.startReadyHub();
  const pid = hub.natsServerPid ?? 0;

  await stopsByItself(hub);

  // Until this process has taken notice of the end of its child, a zombie without a command line answers to the pid.
  assert.equal(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''), '');
});

test('a frozen nats-server is gone when its hub has stopped', async () => {
  await using world = await HubWorld.open();
  const hub = await world.startReadyHub();
  const pid = hub.natsServerPid ?? 0;
  process.kill(pid, 'SIGSTOP');

  await hub.stop(Deadline.after(seconds(9)));

  assert.equal(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''), '');
});
