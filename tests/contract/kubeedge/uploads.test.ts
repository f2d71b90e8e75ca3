// KubeEdge's topics for raw data (kubeedge-contract, sections 1.3 and 2.1): its cloud drops them or delivers them by a Rule; here they
// are in the stream, for whoever subscribes. Published by Mosquitto's own client and by `mqtt`.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { messagesInStream, type CloudMessage } from '../../support/counted-publications.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { BOILER, EdgeWorld, NODE, report, UPDATE } from '../../integration/edge/edge-world.ts';

const QOS1 = { qos: 1 } as const;
const OF_NODE = `skerry.${NODE}.up.message`;
const OF_DEVICE = `skerry.${NODE}.up.data.default.boiler`;

async function arrived(world: EdgeWorld, count: number): Promise<CloudMessage[]> {
  return waitUntil(
    `${count} messages`,
    async () => {
      const messages = await messagesInStream(world.nats);
      return messages.length >= count && messages;
    },
    10_000,
  );
}

async function openWithBoiler(uploads?: readonly string[]): Promise<EdgeWorld> {
  const world = await EdgeWorld.open();
  world.uploads = uploads ?? world.uploads;
  await world.startEdge();
  await world.put(BOILER);
  const heard = await world.listener();
  await heard.first('$skerry/mapper/modbus/default/boiler');
  return world;
}

const UPLOADS: readonly { readonly topic: string; readonly on: string; readonly subject?: string }[] = [
  { topic: '$hw/events/upload/any/thing', on: OF_NODE },
  { topic: '$hw/events/upload', on: OF_NODE },
  { topic: 'SYS/dis/upload_records', on: OF_NODE },
  { topic: 'plant/user/line 1/alarm', on: OF_NODE },
  { topic: 'user/user', on: OF_NODE },
  { topic: '$ke/events/device/boiler/data/update', on: OF_DEVICE, subject: 'default/boiler' },
  { topic: '$ke/events/device/default/boiler/data/update', on: OF_DEVICE, subject: 'default/boiler' },
  { topic: '$ke/events/boiler/device/data/update', on: OF_DEVICE, subject: 'default/boiler' },
  { topic: '$ke/events/default/boiler/device/data/update', on: OF_DEVICE, subject: 'default/boiler' },
  { topic: '$ke/events/device/no such > device/data/update', on: OF_NODE },
];

const LOCAL = [
  'plant/users/a',
  'user',
  '$hw/events/uploads',
  'SYS/dis/upload_records/more',
  '$ke/events/boiler',
  UPDATE,
];

for (const { topic, on, subject } of UPLOADS) {
  void test(`what is published to ${topic} is in the stream on ${on}`, async () => {
    await using world = await openWithBoiler();
    const { port } = new URL(world.edge?.addresses.mqtt ?? '');
    const args = ['-h', '127.0.0.1', '-p', port, '-q', '1', '-t', topic, '-m', '{"temp": 64.50}'];

    const [code] = (await once(spawn('mosquitto_pub', args, { stdio: 'inherit' }), 'close')) as [number];

    assert.equal(code, 0);
    const [message, ...others] = await arrived(world, 1);
    assert.deepEqual(others, []);
    const { on: where, subject: device, topic: told, datacontenttype: type, data } = message ?? ({} as CloudMessage);
    assert.deepEqual(
      { where, device, told, type, data },
      { where: on, device: subject, told: topic, type: 'application/json', data: { temp: 64.5 } },
    );
    assert.deepEqual(world.log.warnings, []);
  });
}

void test('other topics stay on the node, and what goes up reaches local clients as well', async () => {
  await using world = await openWithBoiler();
  const heard = await world.listener('#');
  const client = await world.client();

  for (const topic of LOCAL) await client.publishAsync(topic, report('count', 1), QOS1);
  await client.publishAsync('plant/user/last', Buffer.from([0, 255]), QOS1);

  const [message, ...others] = await arrived(world, 1);
  assert.deepEqual([message?.topic, message?.data_base64, others], ['plant/user/last', 'AP8=', []]);
  assert.equal(message?.datacontenttype, 'application/octet-stream');
  await waitUntil('the local client to hear it', () => heard.on('plant/user/last').length === 1);
});

void test('which user topics go up is chosen with --upload-topics; those of KubeEdge always do', async () => {
  await using world = await openWithBoiler(['alarms/+', 'raw/#']);
  const client = await world.client();

  for (const topic of ['plant/user/a', 'alarms/fire', 'alarms/a/b', 'raw', '$hw/events/upload/x'])
    await client.publishAsync(topic, '1', QOS1);

  const messages = await arrived(world, 3);
  assert.deepEqual(
    messages.map(({ topic }) => topic),
    ['alarms/fire', 'raw', '$hw/events/upload/x'],
  );
});

void test('retained publications and last wills go up as well, at every QoS once', async () => {
  await using world = await openWithBoiler();
  const client = await world.client();
  const will = { topic: 'plant/user/gone', payload: Buffer.from('"bye"'), qos: 1 as const, retain: true };
  const leaving = await world.client({ will, reconnectPeriod: 0 });

  for (const qos of [0, 1, 2] as const)
    await client.publishAsync('plant/user/kept', String(qos), { qos, retain: true });
  leaving.stream.destroy();

  const messages = await arrived(world, 4);
  assert.deepEqual(messages.map(({ topic, data }) => [topic, data]).toSorted(), [
    ['plant/user/gone', 'bye'],
    ['plant/user/kept', 0],
    ['plant/user/kept', 1],
    ['plant/user/kept', 2],
  ]);
  const late = await world.listener('plant/#');
  await waitUntil('both to be heard', () => late.messages.length >= 2);
  assert.deepEqual(late.messages.map(({ payload, retain }) => [payload, retain]).toSorted(), [
    ['"bye"', true],
    ['2', true],
  ]);
});

void test('what is too large for a message of the stream is acknowledged and rejected with the reason', async () => {
  await using world = await openWithBoiler();
  const heard = await world.listener();
  const client = await world.client({ reconnectPeriod: 0 });
  const large = Buffer.alloc(900_000);

  await client.publishAsync('plant/user/large', large, QOS1);
  await client.publishAsync('$ke/events/device/boiler/data/update', large, QOS1);
  await client.publishAsync('plant/user/json', JSON.stringify('x'.repeat(900_000)), QOS1);

  for (const topic of [`$skerry/rejected/${NODE}`, '$skerry/rejected/default/boiler']) {
    const { code, reason } = await heard.first(topic);
    assert.equal(code, 400);
    assert.match(String(reason), /needs 120\d{4} bytes in the stream \(what is not JSON travels as base64/);
  }
  const [message, ...others] = await arrived(world, 1);
  assert.deepEqual([String(message?.data).length, others], [900_000, []]);
  assert.equal(client.connected, true);
});

void test('what was acknowledged while the link was cut, before and after a restart, comes once and in order', async () => {
  await using world = await openWithBoiler();
  const road = await world.layRoad();
  await world.stopEdge();
  await world.startEdge();
  await world.uplinkOpen();
  const topics = ['plant/user/n', '$ke/events/device/boiler/data/update'];
  const publish = async (from: number, through: number): Promise<void> => {
    const client = await world.client();
    for (let n = from; n <= through; n += 1)
      await Promise.all(topics.map((topic) => client.publishAsync(topic, String(n), QOS1)));
  };

  await publish(1, 20);
  road.cut();
  await publish(21, 200);
  await world.stopEdge();
  await world.startEdge();
  await publish(201, 250);
  road.open();

  const messages = await arrived(world, 500);
  const numbers = Array.from({ length: 250 }, (_, n) => n + 1);
  for (const topic of topics) {
    const own = messages.filter((message) => message.topic === topic);
    assert.deepEqual(
      own.map(({ data }) => data),
      numbers,
    );
    assert.equal(own.at(-1)?.historical, true);
  }
});
