// What a node refuses of its devices: shown on MQTT at once, counted, and told to the cloud seldom, with nothing left out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitUntil } from '../../support/wait-until.ts';
import { valueOf } from '../../support/metrics.ts';
import { BOILER, EdgeWorld, report, UPDATE, type Heard, type StreamEvent } from './edge-world.ts';

const QOS1 = { qos: 1 } as const;
const REJECTED = '$skerry/rejected/default/boiler';

async function addBoiler(world: EdgeWorld): Promise<Heard> {
  await world.startEdge();
  await world.put(BOILER);
  const heard = await world.listener();
  await heard.first('$skerry/mapper/modbus/default/boiler');
  return heard;
}

const rejects = async (world: EdgeWorld): Promise<StreamEvent[]> =>
  (await world.upEvents()).filter(({ kind }) => kind === 'rejected');

const total = (events: readonly StreamEvent[]): number =>
  events.reduce((sum, { rejected }) => sum + (rejected?.count ?? 0), 0);

void test('many refusals of a device are few facts, which name them all, also when the node stops', async () => {
  await using world = await EdgeWorld.open();
  await addBoiler(world);
  const client = await world.client();

  await client.publishAsync(UPDATE, 'no JSON', QOS1);
  await waitUntil('the first to be told', async () => (await rejects(world)).length === 1);
  for (let n = 0; n < 30; n += 1) await client.publishAsync(UPDATE, report('count', `n${n}`), QOS1);
  await world.stopEdge();
  await world.startEdge();

  await waitUntil('the rest', async () => total(await rejects(world)) >= 31);
  const told = await rejects(world);
  assert.deepEqual(
    told.map(({ rejected }) => rejected?.count),
    [1, 30],
  );
  assert.match(told[0]?.rejected?.reason ?? '', /not a JSON object/);
  assert.match(told[1]?.rejected?.reason ?? '', /"count" must be an integer/);
  assert.ok(told.every(({ subject }) => subject === 'skerry.n1.up.event.default.boiler'));
});

void test('what is refused of a device that is not of this node is counted, and makes no fact', async () => {
  await using world = await EdgeWorld.open();
  await addBoiler(world);
  const client = await world.client();

  await client.publishAsync('$hw/events/device/ghost/twin/update', 'no JSON', QOS1);
  await client.publishAsync('$hw/events/device/ghost/twin/update', report('a', 1), QOS1);
  await client.publishAsync('$hw/events/node/other/membership/get', '{}', QOS1);
  await client.publishAsync('plant/user/large', Buffer.alloc(1_000_000), QOS1);
  await client.publishAsync(UPDATE, report('setpoint', 96), QOS1);

  await waitUntil('the one that is of a device', async () => (await rejects(world)).length > 0);
  assert.equal(total(await rejects(world)), 1);
  const text = await (await fetch(`${world.edge?.addresses.http ?? ''}/metrics`)).text();
  const counted = ['payload', 'value', 'size', 'unknown'].map((reason) =>
    valueOf(text, `skerry_rejected_publications_total{reason="${reason}"}`),
  );
  assert.deepEqual(counted, [1, 1, 1, 2]);
});

void test('the rejected topic says where it was published, and shows bytes as base64 and where they were cut', async () => {
  await using world = await EdgeWorld.open();
  const heard = await addBoiler(world);
  const client = await world.client();

  await client.publishAsync(UPDATE, Buffer.from([0xff, 0xfe]), QOS1);
  await client.publishAsync(UPDATE, `{"event_id":"long",${' '.repeat(5000)}`, QOS1);
  await waitUntil('both', () => heard.on(REJECTED).length === 2);

  const [bytes, long] = heard.on(REJECTED).map(({ payload }) => JSON.parse(payload) as Record<string, unknown>);
  assert.deepEqual([bytes?.['topic'], bytes?.['payload_base64'], bytes?.['truncated']], [UPDATE, '//4=', undefined]);
  assert.deepEqual([String(long?.['payload']).length, long?.['truncated']], [1024, true]);
});

void test('a topic as long as MQTT allows is no device, and hurts nobody who listens to answers', async () => {
  await using world = await EdgeWorld.open();
  await addBoiler(world);
  const listening = await world.listener('$hw/events/device/+/+/twin/update/result');
  const client = await world.client();

  const longest = `$hw/events/device/${'x'.repeat(65_535 - 30)}/twin/update`;
  await client.publishAsync(longest, '{}', QOS1);
  await client.publishAsync(UPDATE, report('count', 1), QOS1);

  await waitUntil('the answer', () => listening.messages.length > 0);
  assert.deepEqual(
    listening.messages.map(({ topic }) => topic),
    [`${UPDATE}/result`],
  );
});
