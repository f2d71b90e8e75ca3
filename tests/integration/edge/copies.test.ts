// Disks that are lost, copied and restored, and servers that are: who may publish, and what reaches the stream in the end.
import assert from 'node:assert/strict';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { MqttClient } from 'mqtt';
import type { EdgeNode } from '../../../src/edge/edge-node.ts';
import { EdgeStore } from '../../../src/edge/store/edge-store.ts';
import { allowTakeOver } from '../../../src/edge/store/store-identity.ts';
import { Deadline } from '../../../src/kit/deadline.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { mebibytes, seconds } from '../../../src/kit/units.ts';
import { compareVersions, type Version } from '../../../src/model/version.ts';
import { ensureStreams } from '../../../src/nats/jetstream-admin.ts';
import { wantedStreams } from '../../../src/nats/stream-plan.ts';
import { CLAIM_STREAM } from '../../../src/wire/nats-subjects.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { BOILER, EdgeWorld, NEVER, report, UPDATE } from './edge-world.ts';

const QOS1 = { qos: 1 } as const;
const MAPPER = '$skerry/mapper/modbus/default/boiler';

/** One known device on the edge of the world, and its client. */
async function addBoiler(world: EdgeWorld): Promise<MqttClient> {
  await world.startEdge();
  await world.put(BOILER);
  await (await world.listener()).first(MAPPER);
  await world.uplinkOpen();
  return await world.client();
}

async function send(device: MqttClient, from: number, through = from): Promise<void> {
  for (let n = from; n <= through; n += 1) await device.publishAsync(UPDATE, report('count', n), QOS1);
}

const numbers = (from: number, through: number): string[] =>
  Array.from({ length: through - from + 1 }, (_, n) => String(from + n));

async function streamHas(world: EdgeWorld, ...expected: string[]): Promise<void> {
  await waitUntil(
    `${expected.length} numbers in the stream`,
    async () => (await world.reported('count')).length >= expected.length,
    15_000,
  );
  assert.deepEqual(await world.reported('count'), expected);
}

async function versionOf(world: EdgeWorld, value: string): Promise<Version> {
  const event = (await world.upEvents()).find((one) => one.property === 'count' && one.value === value);
  assert.ok(event !== undefined, `no ${value} in the stream`);
  return event.version;
}

async function diverged(edge: EdgeNode | undefined): Promise<void> {
  const tells = (): boolean => edge?.health().reason?.includes('claimed by another store') === true;
  await waitUntil('the divergence to be told', tells);
}

/** As `skerry edge repair --new-term` does. */
async function repair(dataDir: string): Promise<void> {
  const store = new EdgeStore({ dataDir }, { logger: silentLogger });
  await store.start(NEVER);
  await allowTakeOver(store);
  await store.stop(Deadline.after(seconds(5)));
}

const edgeDir = (world: EdgeWorld): string => join(world.dir, 'edge');

void test('a node whose disk was wiped goes on, and what it reports is the newest', async () => {
  await using world = await EdgeWorld.open();
  await send(await addBoiler(world), 1, 3);
  await streamHas(world, ...numbers(1, 3));
  await world.stopEdge();
  await rm(edgeDir(world), { recursive: true });

  await world.startEdge();
  await world.uplinkOpen();
  await send(await world.client(), 4);

  await streamHas(world, ...numbers(1, 4));
  assert.ok(compareVersions(await versionOf(world, '4'), await versionOf(world, '3')) > 0);
});

void test('a new store over lost claims serves its devices, and publishes once the hub has said above which term', async () => {
  await using world = await EdgeWorld.open();
  const jsm = await world.hub.jetStreamConnection()?.jetstreamManager();
  await jsm?.streams.delete(CLAIM_STREAM);
  await ensureStreams(world.hub, wantedStreams(mebibytes(256)));
  await world.startEdge();
  await world.put(BOILER);
  const heard = await world.listener();
  await heard.first(MAPPER);
  await waitUntil('the wait to be told', () => world.edge?.health().reason?.includes('has not prepared the claim'));
  await send(await world.client(), 1);
  await heard.first(`${UPDATE}/document`, '"1"');
  assert.deepEqual(await world.reported('count'), []);

  await world.prepareClaim(7);

  await streamHas(world, '1');
  assert.equal((await versionOf(world, '1')).term, 8);
});

void test('a disk put back as it was before publishes nothing until a person lets it, and then loses nothing of its own', async () => {
  await using world = await EdgeWorld.open();
  await send(await addBoiler(world), 1, 3);
  await streamHas(world, ...numbers(1, 3));
  await world.stopEdge();
  await cp(edgeDir(world), join(world.dir, 'backup'), { recursive: true });
  await world.startEdge();
  await world.uplinkOpen();
  await send(await world.client(), 4, 6);
  await streamHas(world, ...numbers(1, 6));
  await world.stopEdge();
  await rm(edgeDir(world), { recursive: true });
  await cp(join(world.dir, 'backup'), edgeDir(world), { recursive: true });

  await world.startEdge();
  await diverged(world.edge);
  const heard = await world.listener();
  await send(await world.client(), 14, 16);
  await heard.first(`${UPDATE}/document`, '"16"');
  assert.deepEqual(await world.reported('count'), numbers(1, 6));
  const status = (await (await fetch(`${world.edge?.addresses.http}/status`)).json()) as Record<string, unknown>;
  assert.equal((status['problem'] as { readonly code: string }).code, 'STORE_DIVERGED');
  await world.stopEdge();
  await repair(edgeDir(world));
  await world.startEdge();
  await world.uplinkOpen();
  await send(await world.client(), 17);

  await streamHas(world, ...numbers(1, 6), ...numbers(14, 17));
  assert.ok(compareVersions(await versionOf(world, '17'), await versionOf(world, '6')) > 0);
});

void test('a disk copied with facts that wait: what both hold comes once, and what each adds comes when a person lets it', async () => {
  await using world = await EdgeWorld.open();
  const device = await addBoiler(world);
  await send(device, 1, 3);
  await streamHas(world, ...numbers(1, 3));
  await world.nats.kill();
  await send(device, 4, 6);
  await world.stopEdge();
  const copy = join(world.dir, 'copy');
  await cp(edgeDir(world), copy, { recursive: true });
  await world.nats.restart();
  await world.startEdge();
  await world.uplinkOpen();
  await send(await world.client(), 7, 8);
  await streamHas(world, ...numbers(1, 8));

  const other = await world.startOther(copy);
  await diverged(other);
  await send(await world.client({}, other), 107, 108);
  await other.stop(Deadline.after(seconds(3)));
  await repair(copy);
  const again = await world.startOther(copy);
  await streamHas(world, ...numbers(1, 8), '107', '108');
  await diverged(world.edge);
  await send(await world.client(), 9);
  await again.stop(Deadline.after(seconds(3)));
  await world.stopEdge();
  await repair(edgeDir(world));
  await world.startEdge();

  await streamHas(world, ...numbers(1, 8), '107', '108', '9');
});

void test('an instance whose name is taken over notices at once, though nothing is published', async () => {
  await using world = await EdgeWorld.open();
  await addBoiler(world);

  await world.startOther();

  await diverged(world.edge);
});

void test('a second process on one data directory is refused, and the first is not disturbed', async () => {
  await using world = await EdgeWorld.open();
  const device = await addBoiler(world);

  const second = world.createEdge(edgeDir(world));
  await assert.rejects(second.start(NEVER), { code: 'STORE_LOCKED' });

  await send(device, 1);
  await streamHas(world, '1');
});

void test('a device deleted and made again reports as another one', async () => {
  await using world = await EdgeWorld.open();
  const device = await addBoiler(world);
  await send(device, 1);
  await streamHas(world, '1');
  const heard = await world.listener();
  await world.remove(BOILER);
  await waitUntil('it to be gone', () => heard.on(MAPPER).at(-1)?.payload === '');
  await world.put({ ...BOILER, uid: 'uid-2' });
  await waitUntil('it to be there', () => heard.on(MAPPER).at(-1)?.payload !== '');

  await send(device, 2);

  await streamHas(world, '1', '2');
  const uids = (await world.upEvents()).filter(({ property }) => property === 'count').map(({ uid }) => uid);
  assert.deepEqual(uids, ['uid-1', 'uid-2']);
});

void test('a server whose store is put back as it was a while ago has every acknowledged number once in the end', async () => {
  await using world = await EdgeWorld.open();
  const device = await addBoiler(world);
  await send(device, 1, 5);
  await streamHas(world, ...numbers(1, 5));
  await world.nats.kill();
  const backup = join(world.dir, 'nats-backup');
  await cp(world.nats.store, backup, { recursive: true });
  await world.nats.restart();
  await send(device, 6, 10);
  await streamHas(world, ...numbers(1, 10));
  await world.nats.kill();
  await send(device, 11, 12);
  await rm(world.nats.store, { recursive: true });
  await cp(backup, world.nats.store, { recursive: true });

  await world.nats.restart();

  await streamHas(world, ...numbers(1, 12));
});
