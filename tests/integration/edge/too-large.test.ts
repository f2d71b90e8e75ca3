// Facts that the server of the stream does not take for their size, as it was set after they were acknowledged: a gap takes their
// place, and nothing behind them waits.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MqttClient } from 'mqtt';
import { UP_STREAM } from '../../../src/wire/nats-subjects.ts';
import { gapsInStream, messagesInStream } from '../../support/counted-publications.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { EdgeWorld } from './edge-world.ts';

const QOS1 = { qos: 1 } as const;
const TOPIC = 'plant/user/image';
const CHAIN = 'skerry.n1.up.message';
const LOW = 64 * 1024;

const message = (n: number, length = 10): string => JSON.stringify(`${n} `.padEnd(length, '.'));
const numberOf = (data: unknown): number => Number.parseInt(String(data), 10);

async function arrived(world: EdgeWorld): Promise<number[]> {
  return (await messagesInStream(world.nats)).map(({ data }) => numberOf(data));
}

async function untilArrived(world: EdgeWorld, n: number): Promise<void> {
  await waitUntil(`message ${n}`, async () => (await arrived(world)).includes(n), 20_000);
}

async function startIn(world: EdgeWorld): Promise<MqttClient> {
  await world.startEdge();
  await world.uplinkOpen();
  return world.client();
}

void test('what waited for a server that takes smaller messages now is left out, with a gap that names it, and all else arrives', async () => {
  await using world = await EdgeWorld.open();
  const device = await startIn(world);
  await world.nats.kill();
  // Eighty of them are more than the server takes at once.
  for (let n = 1; n <= 80; n += 1) await device.publishAsync(TOPIC, message(n, 2000), QOS1);
  for (const n of [81, 82]) await device.publishAsync(TOPIC, message(n, 100_000), QOS1);
  await device.publishAsync(TOPIC, message(83), QOS1);

  await world.nats.limitPayload(LOW);
  await world.nats.restart();
  await waitUntil('the hub to be back', () => world.hub.connected, 10_000);
  await untilArrived(world, 83);

  assert.deepEqual(
    await arrived(world),
    [...Array(83).keys()].map((n) => n + 1).filter((n) => n !== 81 && n !== 82),
  );
  const named = (await gapsInStream(world.nats)).get(CHAIN);
  assert.deepEqual(named, [
    { reason: 'size', changes: 1 },
    { reason: 'size', changes: 1 },
  ]);
  assert.match(world.edge?.health().reason ?? '', /class "message" is larger.*max_payload/);
  const metrics = await (await fetch(`${world.edge?.addresses.http}/metrics`)).text();
  assert.match(metrics, /skerry_outbox_dropped_changes_total\{class="message",reason="size"\} 2\n/);
  assert.ok(world.log.warnings.some((line) => line.includes('history dropped')));
});

void test('a limit that is lowered and raised under an open link costs what was too large between, and no more', async () => {
  await using world = await EdgeWorld.open();
  const device = await startIn(world);
  await device.publishAsync(TOPIC, message(1, 100_000), QOS1);
  await untilArrived(world, 1);

  await world.nats.limitPayload(LOW);
  for (const n of [2, 3]) await device.publishAsync(TOPIC, message(n, n === 2 ? 100_000 : 10), QOS1);
  await untilArrived(world, 3);
  await world.nats.limitPayload(1024 * 1024);
  for (const n of [4, 5]) await device.publishAsync(TOPIC, message(n, 100_000), QOS1);
  await untilArrived(world, 5);

  assert.deepEqual(await arrived(world), [1, 3, 4, 5]);
  assert.deepEqual((await gapsInStream(world.nats)).get(CHAIN), [{ reason: 'size', changes: 1 }]);
});

void test('a stream that takes smaller messages than its server is found out, and costs only what is too large alone', async () => {
  await using world = await EdgeWorld.open();
  const road = await world.layRoad();
  const device = await startIn(world);
  const jsm = await world.hub.jetStreamConnection()?.jetstreamManager();
  road.cut();
  for (let n = 1; n <= 60; n += 1) await device.publishAsync(TOPIC, message(n, n === 30 ? 9000 : 1000), QOS1);
  await jsm?.streams.update(UP_STREAM, { max_msg_size: 8192 });
  road.open();

  await untilArrived(world, 60);

  assert.deepEqual(
    await arrived(world),
    [...Array(60).keys()].map((n) => n + 1).filter((n) => n !== 30),
  );
  assert.deepEqual((await gapsInStream(world.nats)).get(CHAIN), [{ reason: 'size', changes: 1 }]);
});
