// Messages are handed over in order, acknowledged when they are done, and not lost with a link, a server or a hub.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deadline } from '../../../src/kit/deadline.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { mebibytes, ms } from '../../../src/kit/units.ts';
import { decodeCheckpoint } from '../../../src/nats/checkpoint.ts';
import { ConsumerLoop, type Verdict } from '../../../src/nats/consumer-loop.ts';
import { ensureStreams } from '../../../src/nats/jetstream-admin.ts';
import { wantedStreams } from '../../../src/nats/stream-plan.ts';
import { startNats } from '../../support/nats-server.ts';
import { stopsByItself } from '../../support/stops.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { collect, consumerOf, loopOver, NEVER, poisonOver, publish, text, unacknowledged } from './consuming.ts';
import { linkTo } from './link-to.ts';
import { roadTo } from './road.ts';

test('a message is acknowledged only after its handler has said that it is done', async (t) => {
  await using nats = await startNats();
  await using linked = await linkTo(nats);
  await ensureStreams(linked.link, wantedStreams(mebibytes(16)));
  const finish: (() => void)[] = [];
  await loopOver(t, linked.link, () => new Promise((resolve) => finish.push(() => resolve('done'))));

  await publish(linked.link, 'one');
  await waitUntil('the message to be handed over', () => finish.length === 1);
  assert.equal(await unacknowledged(linked.link), 1);

  finish[0]?.();
  await waitUntil('the acknowledgement', async () => (await unacknowledged(linked.link)) === 0);
});

test('messages of one subject are handed over in the order of the stream', async (t) => {
  await using nats = await startNats();
  await using linked = await linkTo(nats);
  await ensureStreams(linked.link, wantedStreams(mebibytes(16)));
  for (let n = 0; n < 300; n += 1) await publish(linked.link, String(n));
  const seen: string[] = [];

  await loopOver(t, linked.link, (message) => {
    seen.push(text(message));
    return Promise.resolve('done');
  });

  await waitUntil('300 messages', () => seen.length === 300);
  assert.deepEqual(
    seen,
    Array.from({ length: 300 }, (_, n) => String(n)),
  );
});

test('what a hub held when it was killed comes at once to the next one, and what it had settled does not', async (t) => {
  await using nats = await startNats();
  await using linked = await linkTo(nats);
  await using other = await linkTo(nats);
  await ensureStreams(linked.link, wantedStreams(mebibytes(16)));
  const first: string[] = [];
  // Its link is cut and it is never stopped, as a killed process would be.
  const killed = await loopOver(t, linked.link, (message) => {
    first.push(text(message));
    return text(message) === 'settled' ? Promise.resolve('done') : new Promise(() => undefined);
  });
  await publish(other.link, 'settled');
  await waitUntil('the checkpoint', async () =>
    decodeCheckpoint((await consumerOf(other.link))?.config.description ?? ''),
  );
  for (const word of ['held 1', 'held 2']) await publish(other.link, word);
  await waitUntil('the messages to be handed over', () => first.length === 3);
  await linked.link.stop(Deadline.after(ms(200)));

  const again: string[] = [];
  const begun = performance.now();
  await loopOver(t, other.link, collect(again));
  await waitUntil('the messages again', () => again.length === 2);

  t.diagnostic(`what was held came again after ${Math.round(performance.now() - begun)} ms`);
  assert.deepEqual(again, ['held 1', 'held 2']);
  assert.equal(killed.health().state, 'degraded');
});

test('how far a loop is, is kept also where the last message that it settled has been replaced', async (t) => {
  await using nats = await startNats();
  await using linked = await linkTo(nats);
  const { link } = linked;
  await ensureStreams(link, wantedStreams(mebibytes(16)));
  const jsm = await link.jetStreamConnection()?.jetstreamManager();
  assert.ok(jsm !== undefined);
  await loopOver(t, link, async ({ sequence }) => {
    if (sequence > 1) return await new Promise(() => undefined);
    await jsm.streams.deleteMessage('skerry-up', sequence);
    return 'done';
  });

  for (const word of ['replaced', 'held']) await publish(link, word);

  const kept = await waitUntil('the checkpoint', async () =>
    decodeCheckpoint((await consumerOf(link))?.config.description ?? ''),
  );
  const held = await jsm.streams.getMessage('skerry-up', { seq: 2 });
  assert.deepEqual(kept, { sequence: 1, timestamp: held.timestamp });
});

test('a message in hand over a lost link is handed over once, and is acknowledged over the next link', async (t) => {
  await using nats = await startNats();
  await using road = await roadTo(nats);
  await using linked = await linkTo({ ...nats, url: road.url });
  await ensureStreams(linked.link, wantedStreams(mebibytes(16)));
  const finish: (() => void)[] = [];
  await loopOver(t, linked.link, () => new Promise((resolve) => finish.push(() => resolve('done'))));
  for (const word of ['one', 'two']) await publish(linked.link, word);
  await waitUntil('the messages to be handed over', () => finish.length === 2);

  const before = (await consumerOf(linked.link))?.name;
  await road.close();
  await waitUntil('the link to be lost', () => !linked.link.connected);
  await road.open();
  await waitUntil(
    'both to be delivered again, by another consumer',
    async () => {
      const now = await consumerOf(linked.link);
      return now !== undefined && now.name !== before && now.num_ack_pending === 2;
    },
    10_000,
  );
  for (const done of finish) done();

  await waitUntil('the acknowledgements', async () => (await unacknowledged(linked.link)) === 0);
  assert.equal(finish.length, 2);
});

test('consuming goes on by itself after the server was killed and came back', async (t) => {
  await using nats = await startNats();
  await using linked = await linkTo(nats);
  await ensureStreams(linked.link, wantedStreams(mebibytes(16)));
  const seen: string[] = [];
  await loopOver(t, linked.link, (message) => {
    seen.push(text(message));
    return Promise.resolve('done');
  });
  await publish(linked.link, 'before');
  await waitUntil('the first message', () => seen.includes('before'));

  await nats.kill();
  await nats.restart();
  await waitUntil('the link to come back', () => linked.link.connected);
  await waitUntil('a publish to be stored', () => publish(linked.link, 'after'));

  await waitUntil('the message after the restart', () => seen.includes('after'));
});

test('a message that is to be tried later comes again', async (t) => {
  await using nats = await startNats();
  await using linked = await linkTo(nats);
  await ensureStreams(linked.link, wantedStreams(mebibytes(16)));
  let attempts = 0;
  await loopOver(t, linked.link, () => {
    attempts += 1;
    return Promise.resolve(attempts === 1 ? { retryAfter: ms(50) } : 'done');
  });

  await publish(linked.link, 'one');

  await waitUntil('the second attempt', () => attempts === 2);
});

test('a handler that throws gets the message again instead of ending the process', async (t) => {
  await using nats = await startNats();
  await using linked = await linkTo(nats);
  await ensureStreams(linked.link, wantedStreams(mebibytes(16)));
  let attempts = 0;
  await loopOver(t, linked.link, () => {
    attempts += 1;
    return attempts === 1 ? Promise.reject(new Error('planted')) : Promise.resolve('done');
  });

  await publish(linked.link, 'one');

  await waitUntil('the second attempt', () => attempts === 2);
});

test('what is in hand is bounded in bytes however large messages are; the stream holds the rest', async (t) => {
  await using nats = await startNats();
  await using linked = await linkTo(nats);
  const { link } = linked;
  await ensureStreams(link, wantedStreams(mebibytes(256)));
  const finish: (() => void)[] = [];
  let handed = 0;
  let isSlow = true;
  await loopOver(t, link, () => {
    handed += 1;
    return isSlow ? new Promise((resolve) => finish.push(() => resolve('done'))) : Promise.resolve('done');
  });
  const large = 'x'.repeat(900_000);
  for (let n = 0; n < 120; n += 1) await publish(link, large);

  await waitUntil('the bound to be reached', () => handed >= 70);
  const info = await consumerOf(link);
  assert.ok(handed * large.length <= mebibytes(64), `${handed} messages`);
  assert.equal(info?.num_ack_pending, handed);
  isSlow = false;
  for (const done of finish) done();

  await waitUntil('all of them', () => handed === 120);
  await waitUntil('nothing left to acknowledge', async () => (await unacknowledged(link)) === 0);
});

test('a loop stops at once, also while it waits for a server that has fallen silent', async () => {
  await using nats = await startNats();
  await using linked = await linkTo(nats);
  await ensureStreams(linked.link, wantedStreams(mebibytes(16)));
  const config = { stream: 'skerry-up', durable: 'test' };
  const handle = (): Promise<Verdict> => Promise.resolve('done');
  const consuming = new ConsumerLoop(config, {
    link: linked.link,
    logger: silentLogger,
    poison: poisonOver(linked.link),
    handle,
  });
  await consuming.start(NEVER);
  await waitUntil('consuming', () => consuming.health().state === 'ok');
  await stopsByItself(consuming);

  process.kill(nats.pid, 'SIGSTOP');
  const asking = new ConsumerLoop(config, {
    link: linked.link,
    logger: silentLogger,
    poison: poisonOver(linked.link),
    handle,
  });
  await asking.start(NEVER);
  await stopsByItself(asking);
  process.kill(nats.pid, 'SIGCONT');
});
