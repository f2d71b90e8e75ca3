// What is taken from a node, and on whose word: the way down of a real hub over Kubernetes that loses, hides and deletes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeClient } from '../../../src/cloud/kubernetes/kube-client.ts';
import { readLast, receiptOf } from '../../../src/nats/direct-get.ts';
import type { NatsLink } from '../../../src/nats/nats-link.ts';
import { decodeIndex, encodeIndex, type DesiredIndex } from '../../../src/wire/desired.ts';
import { encodeBatch, encodeFact } from '../../../src/wire/device-events.ts';
import {
  bucketSubject,
  chainSubject,
  DESIRED_BUCKET,
  DESIRED_STREAM,
  indexKey,
} from '../../../src/wire/nats-subjects.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { WarningLog } from '../../support/warning-log.ts';
import { HubWorld } from './running-hub.ts';

const DEVICES = '/apis/devices.kubeedge.io/v1beta1/namespaces/default/devices';
const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/devices.devices.kubeedge.io';
const INDEX_SUBJECT = bucketSubject(DESIRED_BUCKET, indexKey('edge-a'));

async function indexOver(link: NatsLink): Promise<DesiredIndex> {
  const entry = await readLast(link, DESIRED_STREAM, INDEX_SUBJECT);
  return (entry === undefined ? undefined : decodeIndex(entry.data)) ?? { bucket: '', generation: 0, keys: {} };
}

async function named(link: NatsLink): Promise<number> {
  return Object.keys((await indexOver(link)).keys).length;
}

const names = (count: number): string[] => Array.from({ length: count }, (_, n) => `counter-${n}`);

/** A hub whose node should hold so many devices. */
async function holding(world: HubWorld, count: number): Promise<NatsLink> {
  await world.startReadyHub();
  await world.createModel();
  await Promise.all(names(count).map((name) => world.createCounter(name)));
  const link = await world.fullLink();
  await waitUntil('all devices in the index', async () => (await named(link)) === count);
  return link;
}

const remove = (client: KubeClient, name: string): Promise<unknown> =>
  client.request({ method: 'DELETE', path: `${DEVICES}/${name}` });

test('fifty devices that a person deletes one after the other are gone from the node at once', async () => {
  await using world = await HubWorld.open();
  const link = await holding(world, 50);

  for (const name of names(50)) await remove(world.client, name);

  await waitUntil('an empty index', async () => (await named(link)) === 0);
  assert.equal(world.hub?.health().state, 'ok');
});

test('most devices of a node, gone when the API server is back, go only with a second list that agrees, and it is said', async () => {
  await using world = await HubWorld.open();
  const log = new WarningLog();
  world.log = log;
  const link = await holding(world, 30);

  await world.restartKube(async (client) => {
    for (const name of names(25)) await remove(client, name);
  });

  await waitUntil('five devices in the index', async () => (await named(link)) === 5);
  assert.ok(log.warnings.some((line) => /held back until a second complete list agrees .*"edge-a"/.test(line)));
  await waitUntil('the hub to be well', () => world.hub?.health().state === 'ok');
});

/** What a device of `edge-a` reports as its count. */
async function report(link: NatsLink, name: string, uid: string, value: string): Promise<void> {
  const device = { namespace: 'default', name };
  const change = { kind: 'reported', property: 'count', type: 'INT', value, n: 1 } as const;
  const fact = { device, uid, binding: 1, at: Date.parse('2026-05-01T00:00:00Z'), changes: [change] };
  const batch = encodeBatch([encodeFact(fact, { node: 'edge-a', id: `inc.${name}`, term: 1, historical: true })]);
  const receipt = receiptOf(await link.request(chainSubject('edge-a', 'twin', device), batch));
  assert.equal(receipt.kind, 'stored');
}

test('an API server that does not know Devices for a while takes nothing from any node, and no report is lost', async () => {
  await using world = await HubWorld.open();
  const link = await holding(world, 12);
  const before = await indexOver(link);
  const uid = (await world.device('counter-3'))?.metadata.uid ?? '';

  await world.restartKube(async (client) => {
    await world.copyKube();
    await client.request({ method: 'DELETE', path: CRD });
  });
  await waitUntil('the hub to say so', () => world.hub?.health().reason?.includes('is not known to it'));
  await report(link, 'counter-3', uid, '77');
  await waitUntil('the write to be tried', () => world.hub?.health().reason?.includes('status writes'));
  assert.deepEqual(await indexOver(link), before);

  await world.restoreKube();
  const shown = async (): Promise<boolean> => (await world.device('counter-3'))?.status?.summary === 'count=77';
  await waitUntil('the report on the Device', shown);
});

test('an object that was written and not named, because its hub died in between, is named by the next one', async () => {
  await using world = await HubWorld.open();
  const first = await holding(world, 2);
  const { bucket, generation, keys } = await indexOver(first);
  const [one, other] = Object.keys(keys);
  const unnamed = encodeIndex({ bucket, generation: generation + 1, keys: { [one ?? '']: keys[one ?? ''] ?? '' } });
  await first.request(INDEX_SUBJECT, unnamed);
  await world.stopHub();

  await world.startReadyHub();

  const link = await world.fullLink();
  const index = await waitUntil('an index that names both', async () => {
    const found = await indexOver(link);
    return Object.keys(found.keys).length === 2 ? found : undefined;
  });
  assert.deepEqual(index.keys[other ?? ''], keys[other ?? '']);
  assert.equal(index.generation, generation + 2);
});
