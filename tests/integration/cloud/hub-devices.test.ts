// What the hub puts where nodes read it, by the Devices that Kubernetes has.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketSubject, DESIRED_BUCKET, desiredKey, indexKey } from '../../../src/wire/nats-subjects.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { COUNTER, definitionOf, desiredOf, edgeLink, indexOf } from './hub-edge.ts';
import { HubWorld } from './running-hub.ts';

test('a Device is bound, merged with its model and put where its node reads it', async () => {
  await using world = await HubWorld.open();
  await world.startReadyHub();
  const link = await edgeLink(world);

  await world.createModel();
  await world.createCounter('counter');

  const index = await waitUntil('an index with the device', async () => {
    const found = await indexOf(link);
    return found !== undefined && Object.keys(found.keys).length === 1 ? found : undefined;
  });
  const held = await definitionOf(link);
  assert.equal(index.keys[desiredKey('edge-a', 'device', COUNTER)], held?.fingerprint);
  assert.equal(held?.definition?.binding, 1);
  assert.deepEqual(held.definition.protocolConfig, { start: 5, step: 2 });
  assert.equal(desiredOf(held.definition), '1');
  assert.deepEqual((await world.device('counter'))?.status?.binding, { nodeName: 'edge-a', generation: 1 });
});

test('a changed desired value reaches the bucket and the index', async (t) => {
  await using world = await HubWorld.open();
  await world.startReadyHub();
  const link = await edgeLink(world);
  await world.createModel();
  await world.createCounter('counter');
  await waitUntil('the first definition', async () => (await definitionOf(link))?.definition);
  const arrived = new Promise<number>((resolve) =>
    link.subscribe(bucketSubject(DESIRED_BUCKET, indexKey('edge-a')), () => resolve(performance.now())),
  );

  const begun = performance.now();
  await world.patchDevice('counter', { spec: { properties: [{ name: 'status', desired: { value: '2' } }] } });

  const took = (await arrived) - begun;
  const held = await waitUntil('the new desired value', async () => {
    const found = await definitionOf(link);
    return desiredOf(found?.definition) === '2' ? found : undefined;
  });
  assert.equal((await indexOf(link))?.keys[desiredKey('edge-a', 'device', COUNTER)], held.fingerprint);
  t.diagnostic(`the index came ${took.toFixed(1)} ms after the patch was sent`);
});

test('a Device that moves leaves its old node and gets a higher binding on the new one', async () => {
  await using world = await HubWorld.open();
  const hub = await world.startReadyHub({ localNodes: ['edge-a', 'edge-b'] });
  assert.match(hub.addresses.nats, /^nats:/);
  const [a, b] = [await edgeLink(world, 'edge-a'), await edgeLink(world, 'edge-b')];
  await world.createModel();
  await world.createCounter('counter');
  await waitUntil('the definition on the first node', async () => (await definitionOf(a))?.definition);

  await world.patchDevice('counter', { spec: { nodeName: 'edge-b' } });

  const moved = await waitUntil('the definition on the second node', () => definitionOf(b, 'edge-b'));
  assert.equal(moved.definition?.binding, 2);
  await waitUntil('the deletion mark on the first node', async () => (await definitionOf(a))?.operation === 'DEL');
  assert.deepEqual((await indexOf(a))?.keys, {});
});

test('a Device whose model is missing is refused in words and sent as soon as the model is there', async () => {
  await using world = await HubWorld.open();
  await world.startReadyHub();
  const link = await edgeLink(world);

  await world.createCounter('counter');

  const refused = await waitUntil('the refusal', async () => {
    const conditions = (await world.device('counter'))?.status?.conditions;
    return conditions?.find(({ type, status }) => type === 'Accepted' && status === 'False');
  });
  assert.equal(refused.reason, 'DeviceModelMissing');
  assert.match(refused.message, /spec\.deviceModelRef\.name.*counter-model/);
  assert.equal(await definitionOf(link), undefined);
  const events = await waitUntil('the Event', async () => {
    const { body } = await world.client.request({ method: 'GET', path: '/api/v1/namespaces/default/events' });
    const items = body['items'] as { reason: string; type: string }[];
    return items.length > 0 ? items : undefined;
  });
  assert.deepEqual([events[0]?.type, events[0]?.reason], ['Warning', 'DeviceModelMissing']);

  await world.createModel();
  await waitUntil('the definition', async () => (await definitionOf(link))?.definition);
  await waitUntil('the acceptance', async () => {
    const conditions = (await world.device('counter'))?.status?.conditions;
    return conditions?.find(({ type, status }) => type === 'Accepted' && status === 'True');
  });
});

test('a model that disappears takes no device from its node', async () => {
  await using world = await HubWorld.open();
  await world.startReadyHub();
  const link = await edgeLink(world);
  await world.createModel();
  await world.createCounter('counter');
  const before = await waitUntil('the definition', () => definitionOf(link));

  await world.remove('devicemodels', 'counter-model');

  await waitUntil('the refusal', async () => {
    const conditions = (await world.device('counter'))?.status?.conditions;
    return conditions?.find(({ type, status }) => type === 'Accepted' && status === 'False');
  });
  assert.deepEqual(await definitionOf(link), before);
  assert.equal(Object.keys((await indexOf(link))?.keys ?? {}).length, 1);
});

test('devices deleted while no hub ran are removed by the next hub', async () => {
  await using world = await HubWorld.open();
  await world.startReadyHub();
  await world.createModel();
  await world.createCounter('counter');
  const first = await edgeLink(world);
  await waitUntil('the definition', () => definitionOf(first));
  const before = await indexOf(first);
  await world.stopHub();
  await world.remove('devices', 'counter');

  await world.startReadyHub();

  const link = await edgeLink(world);
  const index = await waitUntil('an empty index', async () => {
    const found = await indexOf(link);
    return Object.keys(found?.keys ?? { some: 1 }).length === 0 ? found : undefined;
  });
  assert.equal(index.bucket, before?.bucket);
  assert.ok(index.generation > (before?.generation ?? 0));
});
