// A link that is there and does not carry: rights that are missing, a road that swallows everything.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodePermissions } from '../../../src/wire/nats-subjects.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { BOILER, EdgeWorld, NODE, report, UPDATE } from './edge-world.ts';

const QOS1 = { qos: 1 } as const;
const SECOND = { ...BOILER, name: 'boiler-2', uid: 'uid-2' };
const SECOND_UPDATE = UPDATE.replace('boiler', 'boiler-2');
const SECOND_CHAIN = `skerry.${NODE}.up.twin.default.boiler-2`;

void test('a chain that the server forbids is named once, and everything else goes on', async () => {
  const all = nodePermissions(NODE);
  const publish = all.publish.map((subject) =>
    subject === `skerry.${NODE}.up.>` ? `skerry.${NODE}.up.twin.default.boiler` : subject,
  );
  await using world = await EdgeWorld.open({ ...all, publish });
  await world.startEdge();
  await world.put(BOILER);
  await world.put(SECOND);
  const heard = await world.listener();
  await heard.first('$skerry/mapper/modbus/default/boiler-2');
  await world.uplinkOpen();
  const device = await world.client();

  await device.publishAsync(SECOND_UPDATE, report('count', 1), QOS1);

  await waitUntil('the subject in the health', () => world.edge?.health().reason?.includes(SECOND_CHAIN));
  for (const n of [1, 2, 3]) {
    await device.publishAsync(UPDATE, report('count', n), QOS1);
    await device.publishAsync(SECOND_UPDATE, report('count', n + 1), QOS1);
  }
  await waitUntil('the other chain', async () => (await world.reported('count', 'boiler')).length === 3);
  assert.deepEqual(await world.reported('count', 'boiler-2'), []);
  assert.equal(world.log.warnings.filter((line) => line.includes('NATS_FORBIDDEN')).length, 1);
  const status = (await (await fetch(`${world.edge?.addresses.http}/status`)).json()) as Record<string, unknown>;
  assert.equal((status['problem'] as { readonly code: string }).code, 'NATS_FORBIDDEN');
});

void test('a claim that the server forbids is told as that, and devices are served', async () => {
  const all = nodePermissions(NODE);
  const publish = all.publish.filter((subject) => !subject.startsWith('$KV.skerry-claims.'));
  await using world = await EdgeWorld.open({ ...all, publish });
  await world.startEdge();
  await world.put(BOILER);
  const heard = await world.listener();
  await heard.first('$skerry/mapper/modbus/default/boiler');

  await waitUntil('the subject in the health', () =>
    world.edge?.health().reason?.includes('refuses $KV.skerry-claims'),
  );

  await (await world.client()).publishAsync(UPDATE, report('count', 1), QOS1);
  await heard.first(`${UPDATE}/document`, '"1"');
});

void test('a road that swallows everything is noticed, and nothing is lost or doubled on it', async () => {
  await using world = await EdgeWorld.open();
  const road = await world.layRoad();
  await world.startEdge();
  await world.put(BOILER);
  await (await world.listener()).first('$skerry/mapper/modbus/default/boiler');
  await world.uplinkOpen();
  const device = await world.client();
  await device.publishAsync(UPDATE, report('count', 1), QOS1);
  await waitUntil('the first number', async () => (await world.reported('count')).length === 1);

  road.silence();
  for (const n of [2, 3]) await device.publishAsync(UPDATE, report('count', n), QOS1);

  await waitUntil('the rest', async () => (await world.reported('count')).length >= 3);
  assert.deepEqual(await world.reported('count'), ['1', '2', '3']);
});
