// Disks that are lost, on one side or the other: what is reported and wished afterwards must arrive, and count as newer.
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connectAsync } from 'mqtt';
import { StatusWatch } from '../../src/cli/chaos/status-watch.ts';
import { Deadline } from '../../src/kit/deadline.ts';
import { seconds } from '../../src/kit/units.ts';
import { CountedPublications, numbersInStream } from '../support/counted-publications.ts';
import { SmallSite } from '../support/small-site.ts';
import { waitUntil } from '../support/wait-until.ts';
import { DesiredWishes, MapperEar } from './desired-wishes.ts';

const DEVICE = 'pump-1';

async function report(site: SmallSite, number: number): Promise<void> {
  const client = await connectAsync(site.mqttUrl);
  const payload = JSON.stringify({ event_id: '', twin: { number: { actual: { value: String(number) } } } });
  await client.publishAsync(`$hw/events/device/default/${DEVICE}/twin/update`, payload, { qos: 1 });
  await client.endAsync();
}

/** The term in the version of what Kubernetes shows. */
async function shownTerm(site: SmallSite): Promise<number> {
  const { status } = await site.device(DEVICE);
  return Number(status?.twins?.[0]?.reported?.metadata?.['version']?.split('.')[1]);
}

async function shows(site: SmallSite, number: number): Promise<void> {
  await waitUntil(`Kubernetes to show ${number}`, async () => (await site.reported(DEVICE)) === String(number));
}

async function twinAtEdge(site: SmallSite): Promise<{ desired: string | undefined; reported: string | undefined }> {
  const answer = await fetch(`${site.edge.text('http')}/twins/default/${DEVICE}`);
  interface Property {
    readonly desired?: { readonly value: string };
    readonly reported?: { readonly value: string };
  }
  const { properties } = (await answer.json()) as { properties?: Record<string, Property> };
  const number = properties?.['number'];
  return { desired: number?.desired?.value, reported: number?.reported?.value };
}

/** The cloud wishes something new, and the edge has it. */
async function wishArrives(site: SmallSite, wishes: DesiredWishes): Promise<void> {
  const wished = await waitUntil('Kubernetes to take a wish', () => wishes.say());
  await waitUntil(
    `the wish ${wished} to be at the edge`,
    async () => (await twinAtEdge(site)).desired === String(wished),
    20_000,
  );
}

interface UsedSite extends AsyncDisposable {
  readonly site: SmallSite;
  readonly wishes: DesiredWishes;
}

/** A site that has lived a little: its node was started a few times, reported, and was told something. */
async function usedSite(): Promise<UsedSite> {
  const site = await SmallSite.start([DEVICE]);
  const wishes = new DesiredWishes(site.kubeconfig, DEVICE);
  for (let start = 1; start <= 3; start += 1) {
    await site.edge.stop();
    await site.startEdge();
    await report(site, start);
    await shows(site, start);
  }
  await wishArrives(site, wishes);
  return { site, wishes, [Symbol.asyncDispose]: () => site[Symbol.asyncDispose]() };
}

const knowsDevice = async (site: SmallSite): Promise<boolean> =>
  (await fetch(`${site.edge.text('http')}/twins/default/${DEVICE}`)).ok;

const wipeEdge = (site: SmallSite): Promise<void> => rm(join(site.dir, 'edge'), { recursive: true });
const wipeStreams = (site: SmallSite): Promise<void> => rm(join(site.dir, 'hub', 'nats', 'store'), { recursive: true });

test('a node that starts while the cloud is away has all it had, and reports it later', async () => {
  await using used = await usedSite();
  const { site, wishes } = used;
  const before = await twinAtEdge(site);
  await site.hub.stop();
  await report(site, 100);

  await site.edge.kill();
  await site.startEdge();

  assert.deepEqual(await twinAtEdge(site), { ...before, reported: '100' });
  await using ear = new MapperEar(site.mqttUrl, DEVICE);
  await waitUntil('a mapper to hear the wish', () => ear.newest === Number(before.desired));
  await report(site, 101);
  await site.startHub();
  await shows(site, 101);
  await wishArrives(site, wishes);
});

test('a node whose disk was wiped takes over its own name, and what it reports is newer than what was', async () => {
  await using used = await usedSite();
  const { site, wishes } = used;
  const wished = (await twinAtEdge(site)).desired;
  const term = await shownTerm(site);

  await site.edge.kill();
  await wipeEdge(site);
  await site.startEdge();

  await waitUntil('the wish to be there again', async () => (await twinAtEdge(site)).desired === wished);
  await report(site, 200);
  await shows(site, 200);
  assert.ok((await shownTerm(site)) > term, 'the term grew');
  await wishArrives(site, wishes);
});

test('a hub whose streams were wiped gets what nodes report, and nodes get what is wished', async () => {
  await using used = await usedSite();
  const { site, wishes } = used;

  await site.edge.stop();
  await site.hub.stop();
  await wipeStreams(site);
  await site.startHub();
  await site.startEdge();

  await report(site, 300);
  await shows(site, 300);
  await wishArrives(site, wishes);
});

test('a hub whose streams were wiped while its node went on gets what the node reported meanwhile', async () => {
  await using used = await usedSite();
  const { site, wishes } = used;

  await site.hub.stop();
  await report(site, 400);
  await wipeStreams(site);
  await site.startHub();

  await shows(site, 400);
  await report(site, 401);
  await shows(site, 401);
  await wishArrives(site, wishes);
});

test('a node whose disk was wiped after the streams were counts as newer still', async () => {
  await using used = await usedSite();
  const { site, wishes } = used;
  await site.hub.stop();
  await wipeStreams(site);
  await site.startHub();
  await report(site, 500);
  await shows(site, 500);

  await site.edge.kill();
  await wipeEdge(site);
  await site.startEdge();

  await waitUntil('the device to be there again', () => knowsDevice(site));
  await report(site, 501);
  await shows(site, 501);
  await wishArrives(site, wishes);
});

test('a site that lost both the disk of its node and its streams goes on from what Kubernetes has', async () => {
  await using used = await usedSite();
  const { site, wishes } = used;
  const wished = (await twinAtEdge(site)).desired;

  await site.edge.stop();
  await site.hub.stop();
  await wipeEdge(site);
  await wipeStreams(site);
  await site.startHub();
  await site.startEdge();

  await waitUntil('the wish to be there again', async () => (await twinAtEdge(site)).desired === wished);
  await report(site, 600);
  await shows(site, 600);
  await wishArrives(site, wishes);
});

test('history that is published once more into streams that were wiped overwrites nothing newer', async (t) => {
  await using site = await SmallSite.start([DEVICE]);
  const watch = new StatusWatch(site.kubeconfig);
  await watch.start(t.signal);
  t.after(() => watch.stop(Deadline.after(seconds(1))));
  const publications = new CountedPublications(site.mqttUrl, [DEVICE]);
  t.after(() => publications.close());
  publications.start(250);
  await delay(8000);
  publications.stop();
  await waitUntil('every publication to be acknowledged', () => publications.waiting === 0);
  const newest = publications.newest(DEVICE);
  await shows(site, newest);

  await site.hub.stop();
  await wipeStreams(site);
  await site.startHub();

  // Nothing new is said before all of the history is there: a newer report would hide that it counted as newer.
  const access = await site.natsAccess();
  await waitUntil(
    'the history to be in the streams again',
    async () => (await numbersInStream(access)).get(DEVICE)?.at(-1) === newest,
    20_000,
  );
  await report(site, newest + 1);
  await shows(site, newest + 1);
  assert.deepEqual([...watch.watched], [DEVICE]);
  assert.deepEqual(watch.setbacks, []);
});
