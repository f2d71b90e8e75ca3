// G1 on a disk that is full: nothing is acknowledged that is not kept, the node stays, and all is well when there is space.
import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { CountedPublications, numbersInStream } from '../support/counted-publications.ts';
import { runProgram, startProgram } from '../support/program.ts';
import { SmallDisk } from '../support/small-disk.ts';
import { SmallSite } from '../support/small-site.ts';
import { waitUntil } from '../support/wait-until.ts';

const DEVICES = ['pump-1', 'pump-2'];

async function healthOf(site: SmallSite): Promise<string> {
  return (await fetch(`${site.edge.text('http')}/readyz`)).text();
}

/** Until none came while twenty more began to wait: the last were under way when the disk filled. Resolves with their number. */
async function acknowledgementsAtRest(publications: CountedPublications): Promise<number> {
  await waitUntil(
    'the last acknowledgements',
    async () => {
      const { acknowledged, waiting } = publications;
      await waitUntil('more to wait', () => publications.waiting > waiting + 20);
      return publications.acknowledged === acknowledged;
    },
    20_000,
  );
  return publications.acknowledged;
}

test('a full disk stops acknowledgements and nothing else; with space all is taken, and a kill loses none of it', async (t) => {
  await using site = await SmallSite.start(DEVICES);
  const data = join(site.dir, 'edge');
  await site.edge.stop();
  await cp(data, join(site.dir, 'saved'), { recursive: true });
  await using disk = await SmallDisk.mount(24, data);
  await cp(join(site.dir, 'saved'), data, { recursive: true });
  await site.startEdge();
  t.after(() => site.edge.kill());
  const { pid } = site.edge;
  const publications = new CountedPublications(site.mqttUrl, DEVICES);
  t.after(() => publications.close());
  publications.start(200);
  await waitUntil('publications to be acknowledged', () => publications.acknowledged > 100);

  await disk.fill();
  await waitUntil(
    'the node to say that its disk is full',
    async () => /no space left/i.test(await healthOf(site)),
    15_000,
  );
  const refusedAt = await acknowledgementsAtRest(publications);
  const { waiting } = publications;
  await waitUntil('publications to wait', () => publications.waiting > waiting + 100);
  assert.equal(publications.acknowledged, refusedAt, 'nothing was acknowledged by a full disk');
  assert.match(site.edge.log(), /the store refuses writes/);

  await disk.free();
  await waitUntil('writing to go on', () => publications.acknowledged > refusedAt + 100);
  assert.equal(site.edge.pid, pid);
  assert.doesNotMatch(await healthOf(site), /no space left/i);
  await disk.fill(40_000);
  await waitUntil('the disk to be full again', async () => /no space left/i.test(await healthOf(site)));
  await site.edge.kill();
  await disk.free();
  await site.startEdge();
  publications.stop();
  await waitUntil('every publication to be acknowledged', () => publications.waiting === 0);
  await site.edge.kill();
  await site.startEdge();
  await waitUntil(
    'the outbox to be empty',
    async () => ((await (await fetch(`${site.edge.text('http')}/status`)).json()) as { backlog: number }).backlog === 0,
    30_000,
  );

  publications.assertDelivered(await numbersInStream(await site.natsAccess()));
});

test('a start on a full disk says so, and one with space serves', async (t) => {
  await using site = await SmallSite.start(DEVICES);
  await site.edge.stop();
  const saved = join(site.dir, 'edge');
  await using disk = await SmallDisk.mount(24);
  const data = join(disk.path, 'edge');
  await cp(saved, data, { recursive: true });
  await disk.fill();
  const sockets = ['--mqtt', '127.0.0.1:0', '--mqtt-ws', 'off', '--http', '127.0.0.1:0'];

  const full = await runProgram(['edge', '--data-dir', data, ...sockets]);

  assert.equal(full.code, 1);
  assert.match(full.stderr, /^skerry: the store in \S+ cannot be opened: .*No space left on device/m);
  await disk.free();

  const edge = await startProgram(['edge', '--data-dir', data, ...sockets]);
  t.after(() => edge.kill());
  assert.ok((await fetch(`${edge.text('http')}/twins/default/pump-1`)).ok);
});
