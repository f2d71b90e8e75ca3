// How much of each property's history reaches the stream, over a real broker, store and nats-server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceDefinition } from '../../../src/model/device.ts';
import { chainSubject } from '../../../src/wire/nats-subjects.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { BOILER, EdgeWorld, NODE, report, UPDATE, type StreamEvent } from './edge-world.ts';

const METER: DeviceDefinition = {
  ...BOILER,
  properties: [
    { name: 'count', type: 'INT', accessMode: 'ReadOnly' },
    { name: 'total', type: 'INT', accessMode: 'ReadOnly', keep: 'all' },
    { name: 'level', type: 'INT', accessMode: 'ReadOnly', keep: { sampledEvery: 3_600_000 } },
    { name: 'noise', type: 'INT', accessMode: 'ReadOnly', class: 'telemetry' },
  ],
};

const values = (events: readonly StreamEvent[], property: string): readonly string[] =>
  events.filter((event) => event.kind === 'reported' && event.property === property).map(({ value }) => value);

async function withMeter(world: EdgeWorld) {
  await world.startEdge();
  await world.put(METER);
  await world.uplinkOpen();
  await waitUntil('the definition', async () => {
    const answer = await fetch(`${world.edge?.addresses.http ?? ''}/twins/default/boiler`);
    return answer.status === 200;
  });
  return world.client();
}

void test('one publication about properties of two classes is one fact on each chain, under the same event id', async () => {
  await using world = await EdgeWorld.open();
  const client = await withMeter(world);

  const twin = { count: { actual: { value: 1 } }, noise: { actual: { value: 2 } } };
  await client.publishAsync(UPDATE, JSON.stringify({ event_id: 'e1', timestamp: 0, twin }), { qos: 1 });

  const events = await waitUntil('both facts', async () => {
    const all = await world.upEvents();
    return all.some(({ property }) => property === 'noise') && all.length >= 3 ? all : undefined;
  });
  assert.equal(events.find(({ property }) => property === 'count')?.subject, chainSubject(NODE, 'twin', METER));
  assert.equal(events.find(({ property }) => property === 'noise')?.subject, chainSubject(NODE, 'telemetry', METER));
  assert.equal(new Set(events.map(({ id }) => id)).size, events.length);

  await client.publishAsync(UPDATE, JSON.stringify({ event_id: 'e1', timestamp: 0, twin }), { qos: 1 });
  await client.publishAsync(UPDATE, report('count', 9), { qos: 1 });
  await waitUntil('the next fact', async () => values(await world.upEvents(), 'count').includes('9'));
  assert.deepEqual(values(await world.upEvents(), 'noise'), ['2'], 'a redelivery changes neither chain');
});

void test('keep all tells repeated values too, and a sampled property its first value and, where the interval became shorter, its last', async () => {
  await using world = await EdgeWorld.open();
  const client = await withMeter(world);

  for (const value of [1, 1, 2]) {
    await client.publishAsync(UPDATE, report('total', value), { qos: 1 });
    await client.publishAsync(UPDATE, report('count', value), { qos: 1 });
  }
  for (const value of [1, 2, 3]) await client.publishAsync(UPDATE, report('level', value), { qos: 1 });
  await client.publishAsync(UPDATE, report('count', 99), { qos: 1 });

  await waitUntil('everything before', async () => values(await world.upEvents(), 'count').includes('99'));
  const events = await world.upEvents();
  assert.deepEqual(values(events, 'total'), ['1', '1', '2']);
  assert.deepEqual(values(events, 'count'), ['1', '2', '99']);
  assert.deepEqual(values(events, 'level'), ['1']);

  // What is owed is read from the store: a restart does not forget it.
  await world.stopEdge();
  const sampled = METER.properties.map((one) => (one.name === 'level' ? { ...one, keep: { sampledEvery: 1 } } : one));
  await world.put({ ...METER, properties: sampled });
  await world.startEdge();

  await waitUntil('the last value', async () => values(await world.upEvents(), 'level').includes('3'));
  const told = (await world.upEvents()).filter(({ property }) => property === 'level');
  assert.deepEqual(
    told.map(({ value, version }) => [value, version.n]),
    [
      ['1', 1],
      ['3', 3],
    ],
  );
});

void test('a value that would never fit a message is refused although its fact is not due yet', async () => {
  await using world = await EdgeWorld.open();
  const long = {
    ...METER,
    properties: [{ ...METER.properties[2], name: 'level', type: 'STRING', accessMode: 'ReadOnly' }],
  };
  await world.startEdge();
  await world.put(long as DeviceDefinition);
  const heard = await world.listener();
  const client = await world.client();
  await waitUntil('the definition', () => heard.messages.length > 0 || undefined);

  await client.publishAsync(UPDATE, report('level', 'short', 'e1'), { qos: 1 });
  await client.publishAsync(UPDATE, report('level', 'x'.repeat(1_040_000), 'e2'), { qos: 1 });

  const answer = await heard.first(`${UPDATE}/result`, 'e2');
  assert.match(JSON.stringify(answer), /report less at once/);
});
