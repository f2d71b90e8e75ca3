// State beside facts, at the edge: what goes to the last-value stream, and when.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ms, seconds } from '../../../src/kit/units.ts';
import { compareVersions } from '../../../src/model/version.ts';
import { readLast } from '../../../src/nats/direct-get.ts';
import { decodeBatch, type DeviceEvent } from '../../../src/wire/device-events.ts';
import { STATE_STREAM, stateSubject } from '../../../src/wire/nats-subjects.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { BOILER, EdgeWorld, NODE, report, UPDATE } from './edge-world.ts';

const QOS1 = { qos: 1 } as const;

/** The state of the boiler in the stream; none before the first. */
async function stateIn(world: EdgeWorld): Promise<readonly DeviceEvent[]> {
  const last = await readLast(world.hub, STATE_STREAM, stateSubject(NODE, BOILER));
  const batch = last === undefined ? undefined : decodeBatch(last.data);
  return batch?.kind === 'ok' ? batch.events : [];
}

async function countIn(world: EdgeWorld): Promise<DeviceEvent | undefined> {
  return (await stateIn(world)).find(({ property }) => property === 'count');
}

/** A node whose boiler has reported 7, all of it in the stream. */
async function reported(world: EdgeWorld): Promise<void> {
  await world.startEdge();
  await world.put(BOILER);
  const heard = await world.listener();
  await heard.first('$skerry/mapper/modbus/default/boiler');
  const device = await world.client();
  await device.publishAsync(UPDATE, report('count', 7), QOS1);
  await waitUntil('the fact', async () => (await world.reported('count')).includes('7'));
}

void test('after a new term the state of every device is told, also without any backlog', async () => {
  await using world = await EdgeWorld.open();
  await reported(world);
  const fact = (await world.upEvents()).find(({ property }) => property === 'count') ?? assert.fail();
  await world.stopEdge();

  await world.startEdge();

  const state = await waitUntil('the state under the new term', async () => {
    const found = await countIn(world);
    return found !== undefined && found.version.term > fact.version.term ? found : undefined;
  });
  assert.deepEqual([state.value, state.version.n, state.historical], ['7', fact.version.n, false]);
  assert.ok((await stateIn(world)).some(({ kind, value }) => kind === 'state' && value === 'online'));
  assert.deepEqual(await world.reported('count'), ['7'], 'no fact is told twice');
});

void test('after a new binding the state of the device is told under it', async () => {
  await using world = await EdgeWorld.open();
  await reported(world);

  await world.put({ ...BOILER, binding: 3 });

  const state = await waitUntil('the state under the new binding', async () => {
    const found = await countIn(world);
    return found?.version.binding === 3 ? found : undefined;
  });
  assert.equal(state.value, '7');
});

void test('a device of which nothing was heard here is unknown to the cloud, whatever another node said, until it is heard', async () => {
  await using world = await EdgeWorld.open();
  await world.startEdge();
  await world.put({ ...BOILER, binding: 2 });
  const said = async () => (await stateIn(world)).find(({ kind }) => kind === 'state');

  const first = await waitUntil('a state without a word', said);
  assert.deepEqual([first.value, first.cause, first.version.binding, first.version.n], ['unknown', 'not-heard', 2, 0]);

  const device = await world.client();
  await device.publishAsync(UPDATE, report('count', 7), QOS1);
  const word = await waitUntil('its word', async () => (await world.upEvents()).find(({ kind }) => kind === 'state'));
  assert.ok(compareVersions(word.version, first.version) > 0);
});

void test('a property that is declared after it was reported is told with its value, without a new report', async () => {
  await using world = await EdgeWorld.open();
  await reported(world);
  const device = await world.client();
  await device.publishAsync(UPDATE, report('extra', 5), QOS1);
  await waitUntil('the fact', async () => (await world.reported('extra')).includes('5'));
  assert.equal(
    (await stateIn(world)).some(({ property }) => property === 'extra'),
    false,
  );

  const extra = { name: 'extra', type: 'INT', accessMode: 'ReadOnly' } as const;
  await world.put({ ...BOILER, properties: [...BOILER.properties, extra] });

  const told = await waitUntil('its value', async () =>
    (await stateIn(world)).find(({ property }) => property === 'extra'),
  );
  assert.deepEqual([told.kind, told.value, told.type], ['reported', '5', 'INT']);
  assert.deepEqual(await world.reported('extra'), ['5'], 'no fact is told twice');
});

void test('a state that could not be told goes when the link is back', async () => {
  await using world = await EdgeWorld.open();
  const road = await world.layRoad();
  await reported(world);
  road.cut();
  await waitUntil('the link to be lost', () => world.edge?.health().state === 'degraded');
  await world.put({ ...BOILER, binding: 3 });

  road.open();

  await waitUntil('the state under the new binding', async () => (await countIn(world))?.version.binding === 3);
});

void test('a server that lost what it was told is told the state again once the link is back', async () => {
  await using world = await EdgeWorld.open();
  const road = await world.layRoad();
  await reported(world);
  road.cut();
  await waitUntil('the link to be lost', () => world.edge?.health().state === 'degraded');
  await world.hub.request(`$JS.API.STREAM.PURGE.${STATE_STREAM}`, new Uint8Array());
  assert.deepEqual(await stateIn(world), []);

  road.open();

  await waitUntil('the state once more', async () => (await countIn(world))?.value === '7');
});

void test('a device with a backlog is told at its newest, ahead of its history', async () => {
  await using world = await EdgeWorld.open();
  const road = await world.layRoad();
  await reported(world);
  road.cut();
  await waitUntil('the link to be lost', () => world.edge?.health().state === 'degraded');
  const device = await world.client();
  for (let n = 8; n <= 40; n += 1) await device.publishAsync(UPDATE, report('count', n), QOS1);

  road.open();

  await waitUntil('the newest', async () => (await countIn(world))?.value === '40');
  await waitUntil('the history', async () => (await world.reported('count')).length === 34);
});

void test('a device that repeats itself makes no fact, and the cloud hears once in a while that it is alive', async () => {
  await using world = await EdgeWorld.open();
  world.presence = { grace: seconds(5), startGrace: seconds(30), signEvery: ms(2000) };
  await reported(world);
  const device = await world.client();
  const facts = await world.upEvents();
  const before = (await countIn(world))?.receivedAt ?? 0;

  let said = Date.now();
  const sign = await waitUntil('a sign of life', async () => {
    said = Date.now();
    await device.publishAsync(UPDATE, report('count', 7), QOS1);
    const found = await countIn(world);
    return found !== undefined && found.receivedAt > before ? found : undefined;
  });

  assert.ok(said - sign.receivedAt < 2500 && sign.receivedAt <= said + 1000, 'of when it spoke');
  assert.deepEqual(await world.upEvents(), facts);
  const first = sign.receivedAt;
  await waitUntil('the next', async () => {
    await device.publishAsync(UPDATE, report('count', 7), QOS1);
    const found = await countIn(world);
    assert.ok(
      found === undefined || found.receivedAt === first || found.receivedAt - first >= 1000,
      'not with each report',
    );
    return found !== undefined && found.receivedAt > first;
  });
});

void test('a device whose own client is connected is alive now, without a word', async () => {
  await using world = await EdgeWorld.open();
  world.presence = { grace: seconds(5), startGrace: seconds(30), signEvery: ms(1500) };
  await reported(world);
  await world.client({ clientId: 'boiler' });
  const begun = Date.now();
  await waitUntil('a sign of life', async () => ((await countIn(world))?.receivedAt ?? 0) > begun + 1000);
});
