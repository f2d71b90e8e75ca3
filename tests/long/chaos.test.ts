// G1 to G5 under everything at once, in an order that a seed decides: `SEED=42 node --test dist/tests/long/chaos.test.js` repeats a
// run's moves. SECONDS sets how long; LOGS names a folder for what the processes logged.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { StatusWatch } from '../../src/cli/chaos/status-watch.ts';
import { Deadline } from '../../src/kit/deadline.ts';
import { seconds as secondsOf } from '../../src/kit/units.ts';
import { CountedPublications, numbersInStream } from '../support/counted-publications.ts';
import { processesNaming } from '../support/processes.ts';
import { SmallSite } from '../support/small-site.ts';
import { waitUntil } from '../support/wait-until.ts';
import { scheduleOf, textOf } from './chaos-schedule.ts';
import { ChaosSite } from './chaos-site.ts';
import { DesiredWishes, MapperEar } from './desired-wishes.ts';
import { countsText, summaryOf, total } from './log-summary.ts';

const { SEED, SECONDS, LOGS } = process.env;
const seed = SEED === undefined ? Math.floor(Math.random() * 1_000_000) : Number(SEED);
const seconds = SECONDS === undefined ? 75 : Number(SECONDS);

/** Each client's own, so that each device's numbers have one order. */
const DEVICES_OF_CLIENTS = [
  ['pump-1', 'pump-2'],
  ['pump-3', 'pump-4'],
  ['pump-5', 'pump-6'],
  ['pump-7', 'pump-8'],
];
const DEVICES = DEVICES_OF_CLIENTS.flat();
const WISHED = 'pump-1';
const PER_SECOND = 240;
const MOST_MEGABYTES = { edge: 200, hub: 300 };
/** Of all lives of a process together: more is a storm. */
const MOST_ERRORS = 50;

async function makeMoves(t: TestContext, chaos: ChaosSite): Promise<void> {
  const begun = performance.now();
  for (const { pause, move } of scheduleOf(seed)) {
    await delay(pause);
    const at = (performance.now() - begun) / 1000;
    if (at > seconds) return;
    t.diagnostic(`${at.toFixed(1)} s: ${textOf(move)}`);
    await chaos.make(move);
  }
}

async function numberOf(site: SmallSite, field: 'backlog'): Promise<number | undefined> {
  const answer = await fetch(`${site.edge.text('http')}/status`);
  return ((await answer.json()) as Record<string, number>)[field];
}

async function desiredAtEdge(site: SmallSite): Promise<number | undefined> {
  const answer = await fetch(`${site.edge.text('http')}/twins/default/${WISHED}`);
  const twin = (await answer.json()) as { properties: Record<string, { desired?: { value: string } }> };
  return Number(twin.properties['number']?.desired?.value);
}

/** Nothing lost, doubled or out of order; the Devices show the newest. */
async function checkReports(site: SmallSite, clients: readonly CountedPublications[]): Promise<void> {
  await waitUntil('every publication to be acknowledged', () => clients.every(({ waiting }) => waiting === 0), 45_000);
  await waitUntil('the outbox to be empty', async () => (await numberOf(site, 'backlog')) === 0, 45_000);
  const delivered = await numbersInStream(await site.natsAccess());
  for (const [place, client] of clients.entries()) {
    const own = new Set(DEVICES_OF_CLIENTS[place]);
    client.assertDelivered(new Map([...delivered].filter(([device]) => own.has(device))));
    for (const device of own)
      await waitUntil(
        `the Device ${device} to show ${client.newest(device)}`,
        async () => (await site.reported(device)) === String(client.newest(device)),
        30_000,
      );
  }
}

/** The newest wish is at the edge, and a mapper that comes now hears it. */
async function checkWishes(site: SmallSite, wishes: DesiredWishes, ear: MapperEar): Promise<void> {
  const wished = Number((await site.device(WISHED)).spec.properties?.[0]?.desired?.value);
  assert.ok(wished >= wishes.confirmed, `Kubernetes confirmed ${wishes.confirmed} and has ${wished}`);
  await waitUntil(`the twin to want ${wished}`, async () => (await desiredAtEdge(site)) === wished);
  await waitUntil(`the mapper to hear ${wished}`, () => ear.newest === wished);
  await using late = new MapperEar(site.mqttUrl, WISHED);
  await waitUntil(`a mapper that comes late to hear ${wished}`, () => late.newest === wished);
  assert.deepEqual(ear.setbacks, [], 'the mapper heard an older wish after a newer one');
}

function checkLogs(t: TestContext, chaos: ChaosSite): void {
  for (const part of ['edge', 'hub'] as const) {
    const { warnings, errors, strange } = summaryOf(chaos.log(part));
    t.diagnostic(`${part}: at most ${chaos.mostMemory(part)} MB; warnings: ${countsText(warnings)}`);
    t.diagnostic(`${part}: errors: ${countsText(errors)}`);
    assert.deepEqual(strange, [], `the ${part} printed what is no log line`);
    assert.ok(total(errors) <= MOST_ERRORS, `the ${part} logged ${total(errors)} errors`);
    assert.ok(chaos.mostMemory(part) <= MOST_MEGABYTES[part], `the ${part} took ${chaos.mostMemory(part)} MB`);
  }
}

async function checkLeftovers(site: SmallSite, chaos: ChaosSite): Promise<void> {
  assert.deepEqual(await chaos.end(), { edge: 0, hub: 0 }, 'exit codes at the end');
  assert.deepEqual(processesNaming(site.dir), [], 'processes left behind');
  assert.equal(existsSync(join(site.dir, 'hub', 'hub.lock')), false, 'the lock of the hub was left behind');
}

test(`a site where everything is killed, silenced and restarted at random keeps its guarantees (SEED=${seed})`, async (t) => {
  await using site = await SmallSite.start(DEVICES);
  using chaos = new ChaosSite(site, LOGS);
  const watch = new StatusWatch(site.kubeconfig);
  await watch.start(t.signal);
  t.after(() => watch.stop(Deadline.after(secondsOf(1))));
  await using ear = new MapperEar(site.mqttUrl, WISHED);
  await using wishes = new DesiredWishes(site.kubeconfig, WISHED);
  const clients = DEVICES_OF_CLIENTS.map((devices) => new CountedPublications(site.mqttUrl, devices));
  t.after(() => Promise.all(clients.map((client) => client.close())));

  for (const client of clients) client.start(PER_SECOND / clients.length);
  wishes.start(300);
  await makeMoves(t, chaos);
  for (const client of clients) client.stop();
  await wishes.stop();

  await checkReports(site, clients);
  await checkWishes(site, wishes, ear);
  assert.deepEqual([...watch.watched].sort(), [...DEVICES].sort());
  assert.deepEqual(watch.setbacks, [], 'a status went backwards');
  const acknowledged = clients.reduce((sum, client) => sum + client.acknowledged, 0);
  t.diagnostic(`${acknowledged} publications, ${wishes.confirmed} wishes, ${watch.watched.size} Devices watched`);
  assert.ok(acknowledged > PER_SECOND * seconds * 0.5, `only ${acknowledged} were published at all`);
  checkLogs(t, chaos);
  await checkLeftovers(site, chaos);
});
