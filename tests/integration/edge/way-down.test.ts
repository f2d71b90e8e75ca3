// What the cloud wants of a node, when links, buckets, hubs and messages are not as one would wish: in the end the node holds
// what the newest index names, and takes nothing away on the word of anything else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeDefinition } from '../../../src/wire/desired.ts';
import { bucketSubject, DESIRED_BUCKET, desiredKey, heartbeatSubject } from '../../../src/wire/nats-subjects.ts';
import { decodeHeartbeat } from '../../../src/wire/node-reports.ts';
import type { DeviceDefinition } from '../../../src/model/device.ts';
import type { CuttableRoad } from '../../support/cuttable-road.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { BOILER, EdgeWorld, NODE, report, UPDATE, wanting, wish, type Heard } from './edge-world.ts';

const QOS1 = { qos: 1 } as const;
const PUMP: DeviceDefinition = { ...BOILER, name: 'pump', uid: 'uid-pump' };
const mapperTopic = ({ protocol, name }: DeviceDefinition): string => `$skerry/mapper/${protocol}/default/${name}`;

interface Linked {
  readonly heard: Heard;
  readonly road: CuttableRoad;
}

/** A node that holds these devices, and a road to its server that can be cut. */
async function holding(world: EdgeWorld, devices: readonly DeviceDefinition[]): Promise<Linked> {
  const road = await world.layRoad();
  await world.startEdge();
  const heard = await world.listener();
  for (const device of devices) await world.putObject(device, encodeDefinition(device));
  await world.putIndex();
  for (const device of devices) await heard.first(mapperTopic(device));
  // Objects are taken as they come, before the index that names them.
  await waitUntil('the index to be reached', async () => (await statusOf(world)).indexGeneration === 1);
  await world.uplinkOpen();
  return { heard, road };
}

async function cut(world: EdgeWorld, road: CuttableRoad): Promise<void> {
  road.cut();
  await waitUntil('the link to be lost', async () => !(await statusOf(world)).isLinked);
}

interface EdgeStatus {
  readonly isLinked: boolean;
  readonly indexGeneration: number;
}

const statusOf = async (world: EdgeWorld): Promise<EdgeStatus> =>
  (await (await fetch(`${world.edge?.addresses.http ?? ''}/status`)).json()) as EdgeStatus;

const knows = async (world: EdgeWorld, { name }: DeviceDefinition): Promise<boolean> =>
  (await fetch(`${world.edge?.addresses.http ?? ''}/twins/default/${name}`)).ok;

const desiredOf = (payload: string): string | undefined => /"desired":"(\d+)"/.exec(payload)?.[1];

void test('a node that was away gets the newest of each object once, and says how far it is', async () => {
  await using world = await EdgeWorld.open();
  const many = Array.from({ length: 40 }, (_, n) => ({ ...BOILER, name: `boiler-${n}`, uid: `uid-${n}` }));
  const { heard, road } = await holding(world, many);
  const reached: number[] = [];
  world.hub.subscribe(heartbeatSubject(NODE), ({ data }) => reached.push(decodeHeartbeat(data)?.indexGeneration ?? -1));
  await cut(world, road);
  const [changed, unchanged] = [many.slice(0, 30), many.slice(30)];
  for (const desired of ['71', '72', '73'])
    for (const device of changed) await world.put({ ...device, properties: wanting(desired).properties });

  road.open();

  await waitUntil('the newest generation in a heartbeat', () => reached.includes(91));
  const told = (device: DeviceDefinition): unknown =>
    heard.on(mapperTopic(device)).map((one) => desiredOf(one.payload));
  for (const device of changed) assert.deepEqual(told(device), ['70', '73'], device.name);
  for (const device of unchanged) assert.deepEqual(told(device), ['70'], device.name);
  assert.equal((await statusOf(world)).indexGeneration, 91);
});

void test('a device deleted while the node was away is gone with its twin and its mapper topic', async () => {
  await using world = await EdgeWorld.open();
  const { heard, road } = await holding(world, [BOILER, PUMP]);
  await cut(world, road);
  await world.remove(BOILER);
  await world.putMark(BOILER);

  road.open();

  await waitUntil('the mapper topic to be emptied', () => heard.on(mapperTopic(BOILER)).at(-1)?.payload === '');
  assert.equal(await knows(world, BOILER), false);
  assert.equal(await knows(world, PUMP), true);
  const late = await world.listener('$skerry/#');
  await late.first(mapperTopic(PUMP));
  assert.deepEqual(late.on(mapperTopic(BOILER)), []);
});

void test('a device deleted and made again under its name while the node was away is another one, with an empty twin', async () => {
  await using world = await EdgeWorld.open();
  const { heard, road } = await holding(world, [BOILER]);
  const device = await world.client();
  await device.publishAsync(UPDATE, report('count', 5), QOS1);
  await waitUntil('the value', async () => (await world.reported('count')).includes('5'));
  await cut(world, road);
  const second = { ...BOILER, uid: 'uid-2', protocol: 'opcua' };
  await world.remove(BOILER);
  await world.put(second);

  road.open();

  await heard.first(mapperTopic(second));
  assert.equal(heard.on(mapperTopic(BOILER)).at(-1)?.payload, '', 'the mapper of the first is told');
  const twin = await fetch(`${world.edge?.addresses.http ?? ''}/twins/default/boiler`);
  const { uid, properties } = (await twin.json()) as {
    uid: string;
    properties: Record<string, { reported?: unknown }>;
  };
  assert.deepEqual([uid, properties['count']?.reported], ['uid-2', undefined]);
});

void test('a bucket that was lost takes nothing from a node before an index of the new one says so', async () => {
  await using world = await EdgeWorld.open();
  const { heard, road } = await holding(world, [BOILER, PUMP]);
  await cut(world, road);
  await world.emptyBucket();
  road.open();
  await world.uplinkOpen();

  // The new hub writes one object after the other, then the index.
  await world.putObject(PUMP, encodeDefinition({ ...PUMP, properties: wanting('44').properties }));
  await heard.first(mapperTopic(PUMP), '"desired":"44"');
  assert.equal(await knows(world, BOILER), true);
  world.unname(BOILER);
  await world.putIndex('bucket-2');

  await waitUntil('what the new index does not name to go', async () => !(await knows(world, BOILER)));
  assert.deepEqual(
    heard.on(mapperTopic(PUMP)).map(({ payload }) => desiredOf(payload)),
    ['70', '44'],
  );
});

void test('a server that lost the end of its bucket may give the same revisions and generation to other words', async () => {
  await using world = await EdgeWorld.open();
  const { heard, road } = await holding(world, [BOILER]);
  const { indexGeneration } = await statusOf(world);
  await cut(world, road);
  // The same bucket, the same place in the stream, the same generation: only what is said differs.
  await world.emptyBucket();
  await world.putObject(BOILER, encodeDefinition(wanting('44')));
  await world.putIndex('bucket-1', indexGeneration);

  road.open();

  await heard.first(mapperTopic(BOILER), '"desired":"44"');
});

void test('devices whose objects run ahead of the index that names them appear once and stay', async () => {
  await using world = await EdgeWorld.open();
  const { heard } = await holding(world, [BOILER]);
  const burst = Array.from({ length: 60 }, (_, n) => ({ ...BOILER, name: `boiler-${n}`, uid: `uid-${n}` }));

  for (const device of burst) {
    const isNamed = world.putIndex();
    await world.putObject(device, encodeDefinition(device));
    await isNamed;
  }
  await world.putIndex();

  await waitUntil('the last index to be reached', async () => (await statusOf(world)).indexGeneration >= 62);
  await heard.first(mapperTopic(burst[59] ?? BOILER));
  for (const device of burst)
    assert.deepEqual(
      heard.on(mapperTopic(device)).map(({ payload }) => desiredOf(payload)),
      ['70'],
      device.name,
    );
});

void test('an object that no index names yet stays over a lost link', async () => {
  await using world = await EdgeWorld.open();
  const { heard, road } = await holding(world, [BOILER]);
  await world.putObject(PUMP, encodeDefinition(PUMP));
  await heard.first(mapperTopic(PUMP));

  await cut(world, road);
  road.open();
  await world.uplinkOpen();
  // Hints are worked off one after the other, the one of the new connection first.
  await world.putObject(BOILER, encodeDefinition(wanting('80')));
  await heard.first(mapperTopic(BOILER), '"desired":"80"');

  assert.deepEqual(
    heard.on(mapperTopic(PUMP)).map(({ payload }) => desiredOf(payload)),
    ['70'],
  );
});

void test('an object that no index ever named goes when it is deleted from the bucket', async () => {
  await using world = await EdgeWorld.open();
  const { heard } = await holding(world, [BOILER]);
  await world.putObject(PUMP, encodeDefinition(PUMP));
  await heard.first(mapperTopic(PUMP));

  // Its hub died before the index; the next one finds that nobody wants it, and an index that is right as it is.
  world.unname(PUMP);
  await world.putMark(PUMP);

  await waitUntil('the device to be gone', async () => !(await knows(world, PUMP)));
  assert.equal(await knows(world, BOILER), true);
});

void test('an index that is not understood takes nothing, and the node says so until there is a better one', async () => {
  await using world = await EdgeWorld.open();
  const { heard } = await holding(world, [BOILER]);

  await world.putIndexBytes(Buffer.from('{"of":"a newer hub"}'));

  await waitUntil('the complaint', () => world.edge?.health().reason?.includes('is not understood'));
  assert.equal(world.log.warnings.filter((line) => line.includes('is not understood')).length, 1);
  assert.equal(await knows(world, BOILER), true);
  await world.put(wanting('80'));
  await heard.first(mapperTopic(BOILER), '"desired":"80"');
  await world.uplinkOpen();
});

void test('an object that the index names and the bucket lacks stays as it was, missed aloud, and is taken when it is there', async () => {
  await using world = await EdgeWorld.open();
  const { heard, road } = await holding(world, [BOILER]);
  const { indexGeneration } = await statusOf(world);
  await cut(world, road);
  await world.putObject(BOILER, encodeDefinition(wanting('79')));
  await world.putMark(BOILER);
  await world.putIndex();

  road.open();

  await waitUntil('the complaint', () => world.edge?.health().reason?.includes('does not hold'));
  assert.equal((await statusOf(world)).indexGeneration, indexGeneration);
  assert.equal(await knows(world, BOILER), true);
  await world.put(wanting('80'));
  await heard.first(mapperTopic(BOILER), '"desired":"80"');
  await world.uplinkOpen();
});

void test('a flood of hints for puts that the stream refused changes nothing and costs nobody an answer', async () => {
  await using world = await EdgeWorld.open();
  const { heard } = await holding(world, [BOILER]);
  const headers = { 'Nats-Expected-Last-Subject-Sequence': '999' };
  for (let n = 0; n < 2000; n += 1) {
    const ghost = { ...BOILER, name: `ghost-${n % 100}`, uid: `ghost-${n}` };
    const subject = bucketSubject(DESIRED_BUCKET, desiredKey(NODE, 'device', ghost));
    world.hub.publish(subject, encodeDefinition(ghost), { headers });
  }

  await world.put(wanting('80'));

  await heard.first(mapperTopic(BOILER), '"desired":"80"');
  assert.deepEqual(
    [...new Set(heard.messages.map(({ topic }) => topic))].filter((topic) => topic.includes('ghost')),
    [],
  );
});

void test('a wish at the node outlives a lost link, a restart and a bucket that was made anew', async () => {
  await using world = await EdgeWorld.open();
  const { heard, road } = await holding(world, [BOILER]);
  const device = await world.client();
  await device.publishAsync(UPDATE, wish('setpoint', 50), QOS1);
  await heard.first(mapperTopic(BOILER), '"desired":"50"');

  await cut(world, road);
  await world.emptyBucket();
  await world.putObject(BOILER, encodeDefinition(BOILER));
  await world.putIndex('bucket-2');
  await world.stopEdge();
  road.open();
  await world.startEdge();
  await waitUntil('the new index to be reached', async () => (await statusOf(world)).indexGeneration === 1);

  const late = await world.listener();
  assert.equal(desiredOf(JSON.stringify(await late.first(mapperTopic(BOILER)))), '50');
  await world.put(wanting('80'));
  await late.first(mapperTopic(BOILER), '"desired":"80"');
});
