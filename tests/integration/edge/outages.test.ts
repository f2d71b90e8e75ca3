// What may go away goes away: the server, the edge, the link between them. Then somebody counts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { MqttClient } from 'mqtt';
import { readLast } from '../../../src/nats/direct-get.ts';
import { wantedStreams } from '../../../src/nats/stream-plan.ts';
import { ensureStreams } from '../../../src/nats/jetstream-admin.ts';
import { mebibytes } from '../../../src/kit/units.ts';
import { compareVersions, type Version } from '../../../src/model/version.ts';
import { encodeDefinition } from '../../../src/wire/desired.ts';
import { decodeBatch } from '../../../src/wire/device-events.ts';
import {
  bucketSubject,
  CLAIM_STREAM,
  DESIRED_BUCKET,
  desiredKey,
  STATE_STREAM,
  stateSubject,
  UP_STREAM,
} from '../../../src/wire/nats-subjects.ts';
import { stopsByItself } from '../../support/stops.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { RawClient } from '../broker/raw-client.ts';
import { BOILER, EdgeWorld, NODE, report, UPDATE, wanting, type Heard } from './edge-world.ts';

const QOS1 = { qos: 1 } as const;
const MAPPER = '$skerry/mapper/modbus/default/boiler';

/** One known device and an open uplink. */
async function addBoiler(
  world: EdgeWorld,
  definition = BOILER,
): Promise<{ readonly heard: Heard; readonly device: MqttClient }> {
  await world.startEdge();
  await world.put(definition);
  const heard = await world.listener();
  await heard.first(MAPPER);
  await world.uplinkOpen();
  return { heard, device: await world.client() };
}

const numbers = (from: number, through: number): string[] =>
  Array.from({ length: through - from + 1 }, (_, n) => String(from + n));

async function restartNats(world: EdgeWorld): Promise<void> {
  await world.nats.restart();
  await waitUntil('the hub to be back', () => world.hub.connected);
}

void test('a server killed and started again under load has every acknowledged number once and in order', async () => {
  await using world = await EdgeWorld.open();
  // The server's own refusal of repeated message ids must not be what keeps a number from coming twice.
  const forgetful = wantedStreams(mebibytes(256)).map((shape) => ({ ...shape, duplicate_window: 100_000_000 }));
  await ensureStreams(world.hub, forgetful);
  const { device } = await addBoiler(world);
  const acknowledged: string[] = [];
  let sent = 0;
  const sending = new AbortController();
  const load = (async () => {
    while (!sending.signal.aborted) {
      const n = (sent += 1);
      void device.publishAsync(UPDATE, report('count', n), QOS1).then(() => acknowledged.push(String(n)));
      await delay(10);
    }
  })();

  for (let kills = 0; kills < 3; kills += 1) {
    await waitUntil('some numbers', () => acknowledged.length > 70 * (kills + 1));
    await world.nats.kill();
    const before = acknowledged.length;
    await waitUntil('local life to go on without the server', () => acknowledged.length > before + 30);
    await restartNats(world);
  }
  sending.abort();
  await load;
  await waitUntil('the last acknowledgement', () => acknowledged.length === sent);

  await waitUntil('the last number', async () => (await world.reported('count')).includes(String(sent)));
  assert.deepEqual(await world.reported('count'), numbers(1, sent));
});

void test('an edge that restarts offline knows its devices and values, goes on, and misses nothing later', async () => {
  await using world = await EdgeWorld.open();
  const { device } = await addBoiler(world);
  await device.publishAsync(UPDATE, report('count', 1), QOS1);
  await world.nats.kill();
  await device.publishAsync(UPDATE, report('count', 2), QOS1);
  await world.stopEdge();

  await world.startEdge();
  const heard = await world.listener();
  const again = await world.client();
  assert.match(JSON.stringify(await heard.first(MAPPER)), /"desired":"70"/);
  await again.publishAsync('$hw/events/device/boiler/twin/get', '{"event_id":"g"}', QOS1);
  const twin = JSON.stringify((await heard.first('$hw/events/device/boiler/twin/get/result'))['twin']);
  assert.match(twin, /"setpoint":\{"expected":\{"value":"70"/);
  assert.match(twin, /"count":\{"actual":\{"value":"2"/);
  await again.publishAsync(UPDATE, report('count', 3), QOS1);
  assert.equal(world.edge?.health().state, 'degraded');

  await restartNats(world);
  await waitUntil('all numbers', async () => (await world.reported('count')).length >= 3);
  assert.deepEqual(await world.reported('count'), ['1', '2', '3']);
  const late = (await world.upEvents()).find(({ value }) => value === '2');
  assert.equal(late?.historical, true);
});

void test('what waited over a restart is published under the term it was made in, and never outranks what is shown already', async () => {
  await using world = await EdgeWorld.open();
  const { device } = await addBoiler(world);
  await device.publishAsync(UPDATE, report('count', 1), QOS1);
  await waitUntil('the first number', async () => (await world.reported('count')).length === 1);
  await world.nats.kill();
  await device.publishAsync(UPDATE, report('count', 2), QOS1);
  await world.stopEdge();
  await world.startEdge();
  const again = await world.client();
  await again.publishAsync(UPDATE, report('count', 3), QOS1);

  await restartNats(world);
  await world.uplinkOpen();
  await again.publishAsync(UPDATE, report('count', 4), QOS1);
  await waitUntil('all numbers', async () => (await world.reported('count')).length === 4);

  const terms = (await world.upEvents())
    .filter(({ property }) => property === 'count')
    .map(({ version }) => version.term);
  const [first = 0] = terms;
  assert.deepEqual(terms, [first, first, first, first + 1]);
});

void test('what the cloud wants changed while the edge was down arrives once, at its newest', async () => {
  await using world = await EdgeWorld.open();
  await addBoiler(world);
  await world.stopEdge();
  for (const desired of ['71', '72', '73']) await world.put(wanting(desired));

  await world.startEdge();
  const heard = await world.listener();
  await heard.first(MAPPER, '"desired":"73"');
  await world.uplinkOpen();

  const told = heard.on(MAPPER).map(({ payload }) => /"desired":"(\d+)"/.exec(payload)?.[1]);
  assert.deepEqual(
    told.filter((value) => value !== '70'),
    ['73'],
  );
  const documents = heard.on(`${UPDATE}/document`);
  assert.ok(documents.length <= 1 && documents.every(({ payload }) => payload.includes('"73"')));
});

void test('a definition that the index does not name any more is gone, also after a restart', async () => {
  await using world = await EdgeWorld.open();
  const { heard, device } = await addBoiler(world);
  await device.publishAsync(UPDATE, report('count', 1), QOS1);

  await world.remove(BOILER);

  await waitUntil('the mapper topic to be emptied', () => heard.on(MAPPER).at(-1)?.payload === '');
  await device.publishAsync(UPDATE, report('count', 2, 'gone'), QOS1);
  assert.equal((await heard.first(`${UPDATE}/result`, '"event_id":"gone"'))['code'], 404);
  await world.stopEdge();
  await world.startEdge();
  const late = await world.listener(['$skerry/#', '$hw/#']);
  const again = await world.client();
  await again.publishAsync(UPDATE, report('count', 3, 'still'), QOS1);
  assert.equal((await late.first(`${UPDATE}/result`, '"event_id":"still"'))['code'], 404);
  assert.deepEqual(late.on(MAPPER), []);
  assert.deepEqual(await world.reported('count'), ['1']);
});

void test('a put that was heard and refused changes nothing', async () => {
  await using world = await EdgeWorld.open();
  const { heard } = await addBoiler(world);
  const subject = bucketSubject(DESIRED_BUCKET, desiredKey(NODE, 'device', BOILER));
  const headers = { 'Nats-Expected-Last-Subject-Sequence': '999' };
  const answer = await world.hub.request(subject, encodeDefinition(wanting('13')), { headers });
  assert.match(Buffer.from(answer.data).toString(), /wrong last sequence/);

  await world.put(wanting('80'));
  await heard.first(MAPPER, '"desired":"80"');

  assert.equal(
    heard.messages.some(({ payload }) => payload.includes('"13"')),
    false,
  );
});

void test('a definition that this version does not understand leaves the device as it was, until it is understood again', async () => {
  await using world = await EdgeWorld.open();
  const { heard, device } = await addBoiler(world);

  await world.putBytes(BOILER, Buffer.from('{"of":"a newer hub"}'));
  await waitUntil('the complaint', () => world.log.warnings.some((line) => line.includes('not understood')));
  await device.publishAsync(UPDATE, report('count', 1, 'served'), QOS1);
  assert.match(JSON.stringify(await heard.first(`${UPDATE}/result`, '"event_id":"served"')), /"value":"1"/);
  await world.stopEdge();
  await world.startEdge();
  const late = await world.listener();
  await late.first(MAPPER, '"desired":"70"');

  await world.put(wanting('80'));
  await late.first(MAPPER, '"desired":"80"');
});

void test('a bucket made anew is read anew, also where its revisions happen to be the same', async () => {
  await using world = await EdgeWorld.open();
  const { heard } = await addBoiler(world);
  await world.stopEdge();
  const jsm = await world.hub.jetStreamConnection()?.jetstreamManager();
  await jsm?.streams.delete(`KV_${DESIRED_BUCKET}`);
  await ensureStreams(world.hub, wantedStreams(mebibytes(256)));
  assert.equal(heard.on(MAPPER).length, 1);

  await world.put(wanting('44'));
  await world.putIndex('bucket-2');
  await world.startEdge();

  const late = await world.listener();
  await late.first(MAPPER, '"desired":"44"');
});

void test('a stream that was lost with all it held is filled again with what was acknowledged a moment ago', async () => {
  await using world = await EdgeWorld.open();
  const { device } = await addBoiler(world);
  for (const n of numbers(1, 20)) await device.publishAsync(UPDATE, report('count', n), QOS1);
  await waitUntil('the numbers', async () => (await world.reported('count')).length === 20);
  const jsm = await world.hub.jetStreamConnection()?.jetstreamManager();
  await jsm?.streams.delete(UP_STREAM);
  await ensureStreams(world.hub, wantedStreams(mebibytes(256)));

  await device.publishAsync(UPDATE, report('count', 21), QOS1);

  await waitUntil('the new number', async () => (await world.reported('count')).includes('21'));
  assert.deepEqual(await world.reported('count'), numbers(1, 21));
});

void test('a NATS store that was lost counts claims from 1 again, and what is reported next is still the newest', async () => {
  await using world = await EdgeWorld.open();
  const { device } = await addBoiler(world);
  await device.publishAsync(UPDATE, report('count', 1), QOS1);
  const version = async (value: string): Promise<Version | undefined> =>
    (await world.upEvents()).find((event) => event.property === 'count' && event.value === value)?.version;
  const before = await waitUntil('the first value', () => version('1'));
  await world.stopEdge();
  await world.startEdge();
  await world.uplinkOpen();
  await world.stopEdge();
  const jsm = await world.hub.jetStreamConnection()?.jetstreamManager();
  for (const stream of [CLAIM_STREAM, UP_STREAM]) await jsm?.streams.delete(stream);
  await ensureStreams(world.hub, wantedStreams(mebibytes(256)));

  await world.startEdge();
  const again = await world.client();
  await again.publishAsync(UPDATE, report('count', 2), QOS1);

  const after = await waitUntil('the second value', () => version('2'));
  assert.ok(compareVersions(after, before) > 0, `${JSON.stringify(after)} after ${JSON.stringify(before)}`);
  assert.ok(after.term >= before.term);
});

void test('a second store under the same node name publishes nothing and says so, while its devices are served', async () => {
  await using world = await EdgeWorld.open();
  const { device } = await addBoiler(world);
  await device.publishAsync(UPDATE, report('count', 1), QOS1);
  // A new store is taken for the one that was admitted last (ADR 0005); the older one is shut out from its next connection on.
  const other = await world.startOther();
  await world.uplinkOpen(other);
  await world.stopEdge();
  await world.startEdge();
  await waitUntil(
    'the divergence to be told',
    () => world.edge?.health().reason?.includes('claimed by another store'),
    10_000,
  );
  const heard = await world.listener();
  const local = await world.client();

  await local.publishAsync(UPDATE, report('count', 2, 'here'), QOS1);

  assert.match(JSON.stringify(await heard.first(`${UPDATE}/result`, '"event_id":"here"')), /"value":"2"/);
  const foreign = await world.client({}, other);
  await foreign.publishAsync(UPDATE, report('count', 3), QOS1);
  await waitUntil('the number of the holder', async () => (await world.reported('count')).includes('3'));
  assert.deepEqual(await world.reported('count'), ['1', '3']);
});

void test('a store whose name another one took stops publishing as soon as they meet, without a new connection', async () => {
  await using world = await EdgeWorld.open();
  const { device } = await addBoiler(world);
  await device.publishAsync(UPDATE, report('count', 1), QOS1);
  await waitUntil('the number', async () => (await world.reported('count')).includes('1'));
  const other = await world.startOther();
  const heard = await world.listener(undefined, other);
  await heard.first(MAPPER);
  await world.uplinkOpen(other);
  const foreign = await world.client({}, other);
  await foreign.publishAsync(UPDATE, report('count', 100), QOS1);
  await waitUntil('the number of the new holder', async () => (await world.reported('count')).includes('100'));

  await device.publishAsync(UPDATE, report('count', 2), QOS1);

  await waitUntil('the divergence to be told', () => world.edge?.health().reason?.includes('claimed by another store'));
  await foreign.publishAsync(UPDATE, report('count', 101), QOS1);
  await waitUntil('the next number of the new holder', async () => (await world.reported('count')).includes('101'));
  assert.deepEqual(await world.reported('count'), ['1', '100', '101']);
});

void test('a twin too large for one message does not end the process, and what fits of it is its state', async () => {
  await using world = await EdgeWorld.open();
  const names = Array.from({ length: 15 }, (_, n) => `note-${n}`);
  const properties = names.map((name) => ({ name, type: 'STRING', accessMode: 'ReadWrite' }) as const);
  const { device } = await addBoiler(world, { ...BOILER, properties });
  const long = 'x'.repeat(100_000);
  await world.nats.kill();
  for (const name of names) await device.publishAsync(UPDATE, report(name, long), QOS1);
  let ended: unknown = 'running';
  void world.edge?.ended.then((failure) => (ended = failure));

  await restartNats(world);

  await waitUntil(
    'all notes',
    async () => (await world.upEvents()).filter(({ value }) => value === long).length >= 15,
    10_000,
  );
  await world.uplinkOpen();
  assert.equal(ended, 'running');
  const state = await waitUntil('the state', async () => readLast(world.hub, STATE_STREAM, stateSubject('n1', BOILER)));
  const batch = decodeBatch(state.data);
  const told = batch.kind === 'ok' ? batch.events.filter(({ kind }) => kind === 'reported').length : 0;
  assert.ok(told > 5 && told < 15, `${told} of 15`);
  assert.ok(world.log.warnings.filter((warning) => warning.includes('too large for one message')).length === 1);
});

void test('an edge stops by itself, whenever it is asked to', async () => {
  await using world = await EdgeWorld.open();
  for (const wait of [0, 5, 15, 40, 80]) {
    const edge = await world.startEdge();
    await delay(wait);
    await stopsByItself(edge);
  }
});

void test('a session hears at the next start what is still wanted of a device', async () => {
  await using world = await EdgeWorld.open();
  const portOf = (): number => Number(new URL(world.edge?.addresses.mqtt ?? '').port);
  await world.startEdge();
  const mapper = await RawClient.connected(portOf(), 'mapper', false);
  await mapper.subscribe('$hw/events/device/+/+/twin/update/delta');
  await world.put({ ...BOILER, name: 'kettle', uid: 'uid-2', properties: [] });
  await world.put(BOILER);
  const { messageId = 0 } = await mapper.next('publish');
  mapper.send({ cmd: 'puback', messageId });
  await mapper.ping();
  mapper.end();

  await world.stopEdge();
  await world.startEdge();

  const back = await RawClient.connected(portOf(), 'mapper', false);
  await back.next('publish');
  await back.ping();
  const heard = back.received.flatMap((packet) => (packet.cmd === 'publish' ? [packet.topic] : []));
  assert.deepEqual(heard, [`${UPDATE}/delta`]);
  back.end();
});
