import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { ConsumerInfo } from 'nats';
import { Deadline } from '../../../src/kit/deadline.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { mebibytes, ms, seconds } from '../../../src/kit/units.ts';
import { decodeCheckpoint } from '../../../src/nats/checkpoint.ts';
import { ConsumerLoop, type StreamMessage, type Verdict } from '../../../src/nats/consumer-loop.ts';
import { PoisonStream } from '../../../src/nats/poison-stream.ts';
import { receiptOf } from '../../../src/nats/direct-get.ts';
import { ensureStreams } from '../../../src/nats/jetstream-admin.ts';
import type { NatsLink } from '../../../src/nats/nats-link.ts';
import { wantedStreams } from '../../../src/nats/stream-plan.ts';
import { POISON_STREAM, VIEWER_PERMISSIONS } from '../../../src/wire/nats-subjects.ts';
import { startNats, type TestNats } from '../../support/nats-server.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { linkTo } from './link-to.ts';
import { stopsByItself } from '../../support/stops.ts';

const VIEWER = { user: 'viewer', password: 'viewer-password', permissions: VIEWER_PERMISSIONS };
const NEVER = new AbortController().signal;
const SUBJECT = 'skerry.edge-a.up.twin.default.counter';

async function publish(link: NatsLink, text: string): Promise<number> {
  const receipt = receiptOf(await link.request(SUBJECT, Buffer.from(text)));
  assert.equal(receipt.kind, 'stored');
  return receipt.sequence;
}

async function loopOver(
  t: TestContext,
  link: NatsLink,
  handle: (message: StreamMessage) => Promise<Verdict>,
): Promise<ConsumerLoop> {
  const config = { stream: 'skerry-up', durable: 'test' };
  const loop = new ConsumerLoop(config, { link, logger: silentLogger, poison: poisonOver(link), handle });
  await loop.start(NEVER);
  t.after(() => loop.stop(Deadline.after(seconds(2))));
  return loop;
}

const poisonOver = (link: NatsLink): PoisonStream => new PoisonStream({ link, logger: silentLogger });

/** Of the one consumer of the stream. */
async function consumerOf(link: NatsLink): Promise<ConsumerInfo | undefined> {
  const jsm = await link.jetStreamConnection()?.jetstreamManager();
  const found: ConsumerInfo[] = [];
  for await (const info of jsm?.consumers.list('skerry-up') ?? []) found.push(info);
  return found.length === 1 ? found[0] : undefined;
}

const unacknowledged = async (link: NatsLink): Promise<number | undefined> => (await consumerOf(link))?.num_ack_pending;

const text = (message: StreamMessage): string => Buffer.from(message.data).toString();

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

const collect =
  (seen: string[]) =>
  (message: StreamMessage): Promise<Verdict> => {
    seen.push(text(message));
    return Promise.resolve('done');
  };

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

/** A road to the server that can be closed and opened again. */
async function roadTo(
  nats: TestNats,
): Promise<{ readonly url: string; open(): Promise<void>; close(): Promise<void> } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  let port = 0;
  const open = async (): Promise<void> => {
    server = createServer((from) => {
      const to = connect(Number(new URL(nats.url).port), '127.0.0.1');
      for (const socket of [from, to]) sockets.add(socket.on('error', () => socket.destroy()));
      from.pipe(to).pipe(from);
    }).listen(port, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  };
  const close = async (): Promise<void> => {
    if (server?.listening !== true) return;
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  };
  await open();
  return { url: `nats://127.0.0.1:${port}`, open, close, [Symbol.asyncDispose]: close };
}

/** Where a test server keeps its things: its configuration file lies there. */
async function dirOf(pid: number): Promise<string> {
  const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
  return dirname(command[command.indexOf('-c') + 1] ?? '');
}
