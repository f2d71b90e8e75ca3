// Messages for programs in the cloud under SIGKILL: acknowledged means in the stream, once, in order per topic.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CountedPublications, messagesInStream } from '../support/counted-publications.ts';
import { SmallSite } from '../support/small-site.ts';
import { waitUntil } from '../support/wait-until.ts';

const TOPICS = ['$ke/events/device/pump/data/update', 'plant/user/a', '$hw/events/upload/b'];
/** That a busy machine publishes fewer is no fault; that next to nothing was published would be. */
const ENOUGH = 200;

test('messages survive a killed edge node and a killed NATS server: none is lost, doubled or out of order', async (t) => {
  await using site = await SmallSite.start(['pump']);
  const numbered = { topic: (topic: string) => topic, payload: (n: number) => JSON.stringify({ n }) };
  const publications = new CountedPublications(site.mqttUrl, TOPICS, numbered);
  t.after(() => publications.close());

  publications.start(150);
  await delay(1500);
  await site.edge.kill();
  await site.startEdge();
  await delay(1500);
  const before = await site.natsServerPid();
  process.kill(before, 'SIGKILL');
  await waitUntil('the hub to start another nats-server', async () => (await site.natsServerPid()) !== before);
  await site.edge.kill();
  await site.startEdge();
  await delay(1500);
  publications.stop();

  await waitUntil('every publication to be acknowledged', () => publications.waiting === 0);
  const status = (): Promise<unknown> => fetch(`${site.edge.text('http')}/status`).then((answer) => answer.json());
  await waitUntil(
    'the outbox to be empty',
    async () => ((await status()) as { backlog: number }).backlog === 0,
    30_000,
  );
  const delivered = new Map<string, number[]>(TOPICS.map((topic) => [topic, []]));
  for (const { topic, data } of await messagesInStream(await site.natsAccess()))
    delivered.get(topic)?.push((data as { readonly n: number }).n);
  publications.assertDelivered(delivered);
  assert.ok(publications.acknowledged > ENOUGH, `only ${publications.acknowledged} were published at all`);
});
