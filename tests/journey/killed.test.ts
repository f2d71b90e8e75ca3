// G1 to G4 under SIGKILL: acknowledged means in the stream, once, in order, and the Device shows the newest.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CountedPublications, numbersInStream } from '../support/counted-publications.ts';
import { SmallSite } from '../support/small-site.ts';
import { waitUntil } from '../support/wait-until.ts';

const DEVICES = ['pump-1', 'pump-2', 'pump-3', 'pump-4'];
const PER_SECOND = 200;
const SECONDS = 10;
/** That a busy machine publishes fewer is no fault; that next to nothing was published would be. */
const ENOUGH = 500;

/** Publishes for ten seconds and does something unkind at two and at six; then counts. */
async function survive(t: TestContext, unkind: (site: SmallSite) => Promise<void>): Promise<void> {
  await using site = await SmallSite.start(DEVICES);
  const publications = new CountedPublications(site.mqttUrl, DEVICES);
  t.after(() => publications.close());

  publications.start(PER_SECOND);
  await delay(2000);
  await unkind(site);
  await delay(4000);
  await unkind(site);
  await delay(SECONDS * 1000 - 6000);
  publications.stop();

  await waitUntil('every publication to be acknowledged', () => publications.waiting === 0);
  const status = (): Promise<unknown> => fetch(`${site.edge.text('http')}/status`).then((answer) => answer.json());
  await waitUntil(
    'the outbox to be empty',
    async () => ((await status()) as { backlog: number }).backlog === 0,
    30_000,
  );
  publications.assertDelivered(await numbersInStream(await site.natsAccess()));
  assert.ok(publications.acknowledged > ENOUGH, `only ${publications.acknowledged} were published at all`);
  for (const device of DEVICES) {
    await waitUntil(
      `the Device ${device} to show ${publications.newest(device)}`,
      async () => (await site.reported(device)) === String(publications.newest(device)),
      15_000,
    );
  }
}

test('an edge node killed under load loses and doubles nothing that it acknowledged', async (t) => {
  await survive(t, async (site) => {
    await site.edge.kill();
    await site.startEdge();
  });
});

test('a nats-server killed under load loses and doubles nothing', async (t) => {
  await survive(t, async (site) => {
    const before = await site.natsServerPid();
    process.kill(before, 'SIGKILL');
    await waitUntil(
      'the hub to start another nats-server',
      async () => (await site.natsServerPid()) !== before,
      15_000,
    );
  });
});

test('a hub killed under load finds its nats-server still running and misses nothing', async (t) => {
  await survive(t, async (site) => {
    const before = await site.natsServerPid();
    await site.hub.kill();
    process.kill(before, 0);
    await delay(500);
    await site.startHub();
    assert.equal(await site.natsServerPid(), before);
  });
});
