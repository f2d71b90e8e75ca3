// G6: what people said of each property's history holds through an outage that is longer than the outbox, and every change that does
// not come is named: in the stream, in a metric, and on the Device.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectAsync, type MqttClient } from 'mqtt';
import { KubeClient } from '../../src/cloud/kubernetes/kube-client.ts';
import type { DeviceEvent } from '../../src/wire/device-events.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { eventsInStream } from '../support/counted-publications.ts';
import { sumOf, valueOf } from '../support/metrics.ts';
import { SmallSite } from '../support/small-site.ts';
import { waitUntil } from '../support/wait-until.ts';

const API = '/apis/devices.kubeedge.io/v1beta1/namespaces/default';
const DROPPED = 'skerry_outbox_dropped_changes_total';
const INTERVAL = 2000;
const ROUNDS = 300;
const LIMIT = 1024 * 1024;
const PADDING = 'x'.repeat(1500);

const property = (name: string, type: string, more: object = {}): object => ({
  ...{ name, type, accessMode: 'ReadOnly' },
  ...more,
});
const MODEL = {
  ...{ apiVersion: 'devices.kubeedge.io/v1beta1', kind: 'DeviceModel', metadata: { name: 'meter' } },
  spec: {
    properties: [
      property('every', 'INT'),
      property('all', 'INT', { keep: 'all' }),
      property('last', 'INT', { keep: 'last' }),
      property('sampled', 'INT', { keep: `sampled(${INTERVAL}ms)` }),
      property('noise', 'STRING', { class: 'telemetry' }),
    ],
  },
};
const DEVICE = {
  ...{ apiVersion: 'devices.kubeedge.io/v1beta1', kind: 'Device', metadata: { name: 'meter' } },
  spec: { deviceModelRef: { name: 'meter' }, nodeName: 'site', protocol: { protocolName: 'virtual' } },
};

async function report(client: MqttClient, values: Readonly<Record<string, unknown>>): Promise<void> {
  const twin = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { actual: { value } }]));
  const topic = '$hw/events/device/default/meter/twin/update';
  await client.publishAsync(topic, JSON.stringify({ event_id: '', timestamp: 0, twin }), { qos: 1 });
}

/** More than the outbox holds. `all` repeats its value. */
async function reportAll(client: MqttClient): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const noises = [0, 1, 2].map((n) => report(client, { noise: `${round * 3 + n} ${PADDING}` }));
    await Promise.all([...noises, report(client, { last: round, sampled: round })]);
    if (round % 3 === 0) await report(client, { every: round, all: 7 });
  }
}

const values = (events: readonly DeviceEvent[], name: string): readonly string[] =>
  events.filter((event) => event.kind === 'reported' && event.property === name).map(({ value }) => value);
const named = (events: readonly DeviceEvent[], reason: string): number =>
  events.reduce((sum, { gap }) => sum + (gap?.reason === reason ? gap.changes : 0), 0);

void test('each property keeps what was said of it over a long outage, and what was dropped is named in stream, metric and Event', async () => {
  await using site = await SmallSite.start([], { hub: {}, edge: { options: ['--outbox-bytes', `${LIMIT}B`] } });
  const road = await site.layRoad();
  await site.edge.stop();
  await site.startEdge();
  using kube = closing(KubeClient.fromFile(site.kubeconfig));
  await kube.client.request({ method: 'POST', path: `${API}/devicemodels`, body: MODEL });
  await kube.client.request({ method: 'POST', path: `${API}/devices`, body: DEVICE });
  const edge = site.edge.text('http');
  await waitUntil('the node to know the meter', async () => (await fetch(`${edge}/twins/default/meter`)).ok);
  const scrape = async (): Promise<string> => (await fetch(`${edge}/metrics`)).text();
  const client = await connectAsync(site.mqttUrl);
  const begun = Date.now();

  road.cut();
  await waitUntil('the link to be lost', async () => valueOf(await scrape(), 'skerry_uplink_linked') === 0);
  await reportAll(client);
  await client.endAsync();
  const isWithinLimit = async (): Promise<boolean> => (valueOf(await scrape(), 'skerry_outbox_bytes') ?? 0) <= LIMIT;
  await waitUntil('the outbox to keep its limit', isWithinLimit);
  assert.ok(sumOf(await scrape(), DROPPED, 'class="telemetry",reason="bytes"') > 0, 'the outbox was never full');
  road.open();

  const newest = String(ROUNDS - 1);
  const isTold = async (): Promise<boolean> => {
    const isEmpty = valueOf(await scrape(), 'skerry_outbox_entries') === 0;
    return isEmpty && values(await eventsInStream(await site.natsAccess()), 'sampled').at(-1) === newest;
  };
  await waitUntil('the outbox to be empty, and the last sample told', isTold);
  const events = await eventsInStream(await site.natsAccess());
  const told = await scrape();

  const thirds = Array.from({ length: ROUNDS / 3 }, (_, n) => String(n * 3));
  assert.deepEqual(values(events, 'every'), thirds);
  assert.deepEqual(
    values(events, 'all'),
    thirds.map(() => '7'),
  );
  assert.equal(values(events, 'last').at(-1), newest);
  assert.ok(values(events, 'last').length + named(events, 'compacted') === ROUNDS);
  const samples = values(events, 'sampled').length;
  assert.ok(samples >= 2 && samples <= 2 + (Date.now() - begun) / INTERVAL, `${samples} samples`);
  const noises = values(events, 'noise');
  assert.equal(noises.length + named(events, 'bytes'), ROUNDS * 3, 'each is there, or named by a gap marker');
  assert.equal(noises.at(-1), `${ROUNDS * 3 - 1} ${PADDING}`, 'the oldest went');
  for (const reason of ['bytes', 'compacted', 'age'])
    assert.equal(sumOf(told, DROPPED, `reason="${reason}"`), named(events, reason), reason);

  await waitUntil(
    'the Events to name what the markers do',
    async () => (await changesInEvents(kube.client)) === named(events, 'bytes'),
  );
  const wanted = { every: thirds.at(-1), all: '7', last: newest, sampled: newest, noise: noises.at(-1) };
  await waitUntil('the newest values in Kubernetes', async () => {
    const { status } = await site.device('meter');
    const shown = new Map(status?.twins?.map(({ propertyName, reported }) => [propertyName, reported?.value]));
    return Object.entries(wanted).every(([name, value]) => shown.get(name) === value);
  });
});

/** What the Events on the meter say will never come. */
async function changesInEvents(client: KubeClient): Promise<number> {
  const { body } = await client.request({ method: 'GET', path: '/api/v1/namespaces/default/events' });
  const dropped = (body['items'] as JsonObject[]).filter(({ reason }) => reason === 'HistoryDropped');
  return dropped.reduce((sum, { message }) => {
    const [, changes] = /^(\d+) changes? of class telemetry, .* --outbox-bytes/.exec(String(message)) ?? [];
    return sum + Number(changes);
  }, 0);
}

function closing(client: KubeClient): { readonly client: KubeClient } & Disposable {
  return { client, [Symbol.dispose]: () => client.close() };
}
