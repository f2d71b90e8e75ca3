// Poison: set aside once with its reason, and kept in the stream until it can be.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deadline } from '../../../src/kit/deadline.ts';
import { mebibytes, seconds } from '../../../src/kit/units.ts';
import type { Verdict } from '../../../src/nats/consumer-loop.ts';
import { ensureStreams } from '../../../src/nats/jetstream-admin.ts';
import type { NatsLink } from '../../../src/nats/nats-link.ts';
import { wantedStreams } from '../../../src/nats/stream-plan.ts';
import { POISON_STREAM, VIEWER_PERMISSIONS } from '../../../src/wire/nats-subjects.ts';
import { startNats } from '../../support/nats-server.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { consumerOf, loopOver, publish, SUBJECT, text, unacknowledged } from './consuming.ts';
import { linkTo } from './link-to.ts';

const VIEWER = { user: 'viewer', password: 'viewer-password', permissions: VIEWER_PERMISSIONS };

test('poison is set aside with its reason, not delivered again, and does not hold up what follows', async (t) => {
  await using nats = await startNats([VIEWER]);
  await using linked = await linkTo(nats);
  await using viewer = await linkTo({ ...VIEWER, url: nats.url }, '_INBOX__viewer');
  await ensureStreams(linked.link, wantedStreams(mebibytes(16)));
  const seen: string[] = [];
  await loopOver(t, linked.link, (message) => {
    seen.push(text(message));
    return Promise.resolve(text(message) === 'bad' ? { poison: 'planted\r\nfor the test' } : 'done');
  });

  await publish(linked.link, 'bad');
  await publish(linked.link, 'good');

  await waitUntil('both messages', () => seen.length === 2);
  await waitUntil('nothing left to acknowledge', async () => (await unacknowledged(linked.link)) === 0);
  assert.deepEqual(seen, ['bad', 'good']);
  const [copy, ...others] = await setAside(viewer.link);
  assert.deepEqual(others, []);
  assert.equal(copy?.payload, 'bad');
  assert.equal(copy.header('Nats-Subject'), 'skerry.poison.skerry-up.edge-a.1');
  assert.equal(copy.header('Skerry-Subject'), SUBJECT);
  assert.equal(copy.header('Skerry-Stream'), 'skerry-up');
  assert.equal(copy.header('Skerry-Sequence'), '1');
  assert.equal(copy.header('Skerry-Reason'), 'planted for the test');
  assert.ok(Math.abs(Date.parse(copy.header('Skerry-Time') ?? '') - Date.now()) < 60_000);
});

test('poison that was set aside before is there once, also after it was consumed again', async (t) => {
  await using nats = await startNats();
  await using linked = await linkTo(nats);
  const { link } = linked;
  await ensureStreams(link, wantedStreams(mebibytes(16)));
  const handle = (): Promise<Verdict> => Promise.resolve({ poison: 'planted' });
  const first = await loopOver(t, link, handle);
  await publish(link, 'bad');
  await waitUntil('the copy', async () => (await setAside(link)).length === 1);
  await first.stop(Deadline.after(seconds(1)));
  await deleteConsumers(link);
  let again = 0;

  await loopOver(t, link, (message) => {
    again += 1;
    assert.equal(text(message), 'bad');
    return handle();
  });

  await waitUntil('the message again', () => again === 1);
  await waitUntil('nothing left to acknowledge', async () => (await unacknowledged(link)) === 0);
  assert.equal((await setAside(link)).length, 1);
});

test('poison that cannot be set aside stays in the stream until it can', async (t) => {
  await using nats = await startNats();
  await using linked = await linkTo(nats);
  const { link } = linked;
  await ensureStreams(link, wantedStreams(mebibytes(16)));
  const jsm = await link.jetStreamConnection()?.jetstreamManager();
  await jsm?.streams.delete(POISON_STREAM);
  let attempts = 0;
  await loopOver(t, link, () => {
    attempts += 1;
    return Promise.resolve({ poison: 'planted' });
  });
  await publish(link, 'bad');
  await waitUntil('a second attempt', () => attempts >= 2);
  assert.equal(await unacknowledged(link), 1);

  await ensureStreams(link, wantedStreams(mebibytes(16)));

  await waitUntil('the copy', async () => (await setAside(link)).length === 1);
  await waitUntil('nothing left to acknowledge', async () => (await unacknowledged(link)) === 0);
});

interface SetAside {
  readonly payload: string;
  header(name: string): string | undefined;
}

/** As docs/reference/subjects.md says: one after the other, with nothing but direct gets. */
async function setAside(link: NatsLink): Promise<readonly SetAside[]> {
  const found: SetAside[] = [];
  for (let next = 1; ;) {
    const asked = JSON.stringify({ seq: next, next_by_subj: 'skerry.poison.>' });
    const answer = await link.request(`$JS.API.DIRECT.GET.${POISON_STREAM}`, Buffer.from(asked));
    if (answer.status !== undefined) return found;
    found.push({ payload: Buffer.from(answer.data).toString(), header: (name) => answer.header(name) });
    next = Number(answer.header('Nats-Sequence')) + 1;
  }
}

async function deleteConsumers(link: NatsLink): Promise<void> {
  const jsm = await link.jetStreamConnection()?.jetstreamManager();
  await jsm?.consumers.delete('skerry-up', (await consumerOf(link))?.name ?? '');
}
