// A stream that was made anew, or that lost its tail, under a consumer that had seen more.
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { Deadline } from '../../../src/kit/deadline.ts';
import { mebibytes, ms } from '../../../src/kit/units.ts';
import { decodeCheckpoint } from '../../../src/nats/checkpoint.ts';
import { ensureStreams } from '../../../src/nats/jetstream-admin.ts';
import type { NatsLink } from '../../../src/nats/nats-link.ts';
import { wantedStreams } from '../../../src/nats/stream-plan.ts';
import { startNats, type TestNats } from '../../support/nats-server.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { collect, consumerOf, loopOver, publish, text, unacknowledged } from './consuming.ts';
import { linkTo } from './link-to.ts';
import { roadTo } from './road.ts';

test('a consumer whose stream was made anew begins at its first message', async (t) => {
  await using nats = await startNats();
  await using linked = await linkTo(nats);
  const { link } = linked;
  await ensureStreams(link, wantedStreams(mebibytes(16)));
  const seen: string[] = [];
  await loopOver(t, link, (message) => {
    seen.push(text(message));
    return Promise.resolve('done');
  });
  for (const word of ['one', 'two', 'three']) await publish(link, word);
  await waitUntil('three messages', () => seen.length === 3);
  const jsm = await link.jetStreamConnection()?.jetstreamManager();

  await jsm?.streams.delete('skerry-up');
  await ensureStreams(link, wantedStreams(mebibytes(16)));
  await publish(link, 'four');

  await waitUntil('the first message of the new stream', () => seen.includes('four'));
});

test('a server that lost the tail of its stream: what is published again in its place is consumed', async (t) => {
  await using nats = await startNats();
  await using linked = await linkTo(nats);
  const { link } = linked;
  await ensureStreams(link, wantedStreams(mebibytes(16)));
  const seen: string[] = [];
  await loopOver(t, link, collect(seen));
  const rewind = await tailLoss(nats, link, seen);

  await rewind();
  await waitUntil('the link to come back', () => link.connected);
  const again = await waitUntil('a publish to be stored', () => publish(link, 'two again'));

  assert.equal(again, 2, 'the stream must really have lost its tail');
  await waitUntil('the message published again', () => seen.includes('two again'));
});

test('a lost tail is noticed also when edges have filled its place before the hub is back', async (t) => {
  await using nats = await startNats();
  await using edge = await linkTo(nats);
  await using road = await roadTo(nats);
  await using hub = await linkTo({ ...nats, url: road.url });
  await ensureStreams(hub.link, wantedStreams(mebibytes(16)));
  const seen: string[] = [];
  await loopOver(t, hub.link, collect(seen));
  const rewind = await tailLoss(nats, edge.link, seen);
  await road.close();
  await waitUntil('the hub to be cut off', () => !hub.link.connected);

  await rewind();
  await waitUntil('the edge to be back', () => edge.link.connected);
  await waitUntil('a publish to be stored', () => publish(edge.link, 'two again'));
  for (const word of ['three again', 'four']) await publish(edge.link, word);
  await road.open();

  await waitUntil('every message published again', () => seen.includes('four') && seen.includes('two again'));
});

test('a lost tail is noticed also when the hub was killed with the server, and edges have filled beyond its place', async (t) => {
  await using nats = await startNats();
  await using edge = await linkTo(nats);
  await using hub = await linkTo(nats);
  await ensureStreams(hub.link, wantedStreams(mebibytes(16)));
  const seen: string[] = [];
  await loopOver(t, hub.link, collect(seen));
  const rewind = await tailLoss(nats, edge.link, seen);
  await waitUntil('the checkpoint to be at the end', async () => {
    const checkpoint = decodeCheckpoint((await consumerOf(edge.link))?.config.description ?? '');
    return checkpoint?.sequence === 3;
  });
  await hub.link.stop(Deadline.after(ms(200)));

  await rewind();
  await waitUntil('the edge to be back', () => edge.link.connected);
  await waitUntil('a publish to be stored', () => publish(edge.link, 'two again'));
  for (const word of ['three again', 'four']) await publish(edge.link, word);
  const after: string[] = [];
  await loopOver(t, edge.link, collect(after));

  await waitUntil('what came after', () => after.includes('four'));
  assert.deepEqual(after, ['one', 'two again', 'three again', 'four']);
});

/** Publishes three messages, waits until they are consumed; the answer kills the server and brings it back with only the first. */
async function tailLoss(nats: TestNats, link: NatsLink, seen: readonly string[]): Promise<() => Promise<void>> {
  await publish(link, 'one');
  await waitUntil('the first message', () => seen.length === 1);
  const messages = join(await dirOf(nats.pid), 'store/jetstream/$G/streams/skerry-up/msgs');
  const saved = await mkdtemp(join(tmpdir(), 'skerry-tail-'));
  await cp(messages, saved, { recursive: true });
  for (const word of ['two', 'three']) await publish(link, word);
  await waitUntil('all three', () => seen.length === 3);
  await waitUntil('all acknowledged', async () => (await unacknowledged(link)) === 0);
  return async () => {
    // An orderly end, so that the server keeps the consumer's position and loses only what is taken away here.
    const { pid } = nats;
    process.kill(pid, 'SIGTERM');
    await waitUntil(
      'the server to end',
      async () => (await readFile(`/proc/${pid}/cmdline`).catch(() => '')).length === 0,
    );
    await rm(messages, { recursive: true });
    await cp(saved, messages, { recursive: true });
    await rm(saved, { recursive: true });
    await nats.restart();
  };
}

/** Where a test server keeps its things: its configuration file lies there. */
async function dirOf(pid: number): Promise<string> {
  const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
  return dirname(command[command.indexOf('-c') + 1] ?? '');
}
