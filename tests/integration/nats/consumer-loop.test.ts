import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Deadline } from '../../../src/kit/deadline.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { mebibytes, ms, seconds } from '../../../src/kit/units.ts';
import { ConsumerLoop, type StreamMessage, type Verdict } from '../../../src/nats/consumer-loop.ts';
import { receiptOf } from '../../../src/nats/direct-get.ts';
import { ensureStreams } from '../../../src/nats/jetstream-admin.ts';
import type { NatsLink } from '../../../src/nats/nats-link.ts';
import { wantedStreams } from '../../../src/nats/stream-plan.ts';
import { startNats, type TestNats } from '../../support/nats-server.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { linkTo } from './link-to.ts';

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
  const loop = new ConsumerLoop(config, { link, logger: silentLogger, handle });
  await loop.start(NEVER);
  t.after(() => loop.stop(Deadline.after(seconds(2))));
  return loop;
}

async function unacknowledged(link: NatsLink): Promise<number | undefined> {
  const jsm = await link.jetStreamConnection()?.jetstreamManager();
  return (await jsm?.consumers.info('skerry-up', 'test'))?.num_ack_pending;
}

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

test('a message that was not done is delivered again after a crash of the server and of its consumer', async (t) => {
  await using nats = await startNats();
  await using linked = await linkTo(nats);
  await ensureStreams(linked.link, wantedStreams(mebibytes(16)));
  const first: string[] = [];
  const stuck = await loopOver(t, linked.link, (message) => {
    first.push(text(message));
    return new Promise(() => undefined);
  });
  await publish(linked.link, 'one');
  await waitUntil('the message to be handed over', () => first.length === 1);
  await stuck.stop(Deadline.after(ms(200)));
  await nats.kill();
  await nats.restart();
  await waitUntil('the link to come back', () => linked.link.connected, 10_000);
  // The acknowledgement time of the first delivery is a minute; a new durable stands for it here.
  const jsm = await linked.link.jetStreamConnection()?.jetstreamManager();
  await waitUntil('the stream to be there', () => jsm?.consumers.delete('skerry-up', 'test'));

  const again: string[] = [];
  await loopOver(t, linked.link, (message) => {
    again.push(text(message));
    return Promise.resolve('done');
  });

  await waitUntil('the message again', () => again.length === 1);
  assert.deepEqual(again, ['one']);
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
  await waitUntil('the link to come back', () => linked.link.connected, 10_000);
  await waitUntil('a publish to be stored', () => publish(linked.link, 'after'), 10_000);

  await waitUntil('the message after the restart', () => seen.includes('after'), 10_000);
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

  await waitUntil('the second attempt', () => attempts === 2, 10_000);
});

test('poison is set aside: it is not delivered again and what follows is', async (t) => {
  await using nats = await startNats();
  await using linked = await linkTo(nats);
  await ensureStreams(linked.link, wantedStreams(mebibytes(16)));
  const seen: string[] = [];
  await loopOver(t, linked.link, (message) => {
    seen.push(text(message));
    return Promise.resolve(text(message) === 'bad' ? { poison: 'planted' } : 'done');
  });

  await publish(linked.link, 'bad');
  await publish(linked.link, 'good');

  await waitUntil('both messages', () => seen.length === 2);
  await waitUntil('nothing left to acknowledge', async () => (await unacknowledged(linked.link)) === 0);
  assert.deepEqual(seen, ['bad', 'good']);
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

  await waitUntil('the first message of the new stream', () => seen.includes('four'), 10_000);
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
  await waitUntil('the link to come back', () => link.connected, 10_000);
  const again = await waitUntil('a publish to be stored', () => publish(link, 'two again'), 10_000);

  assert.equal(again, 2, 'the stream must really have lost its tail');
  await waitUntil('the message published again', () => seen.includes('two again'), 10_000);
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
  await waitUntil('the edge to be back', () => edge.link.connected, 10_000);
  await waitUntil('a publish to be stored', () => publish(edge.link, 'two again'), 10_000);
  for (const word of ['three again', 'four']) await publish(edge.link, word);
  await road.open();

  await waitUntil('every message published again', () => seen.includes('four') && seen.includes('two again'), 15_000);
});

test('a loop stops at once, also while it waits for a server that has fallen silent', async () => {
  await using nats = await startNats();
  await using linked = await linkTo(nats);
  await ensureStreams(linked.link, wantedStreams(mebibytes(16)));
  const config = { stream: 'skerry-up', durable: 'test' };
  const handle = (): Promise<Verdict> => Promise.resolve('done');
  const consuming = new ConsumerLoop(config, { link: linked.link, logger: silentLogger, handle });
  await consuming.start(NEVER);
  await waitUntil('consuming', () => consuming.health().state === 'ok');
  assert.ok((await stopTime(consuming)) < 100);

  process.kill(nats.pid, 'SIGSTOP');
  const asking = new ConsumerLoop(config, { link: linked.link, logger: silentLogger, handle });
  await asking.start(NEVER);
  const took = await stopTime(asking);
  process.kill(nats.pid, 'SIGCONT');

  assert.ok(took < 500, `${took} ms`);
});

async function stopTime(loop: ConsumerLoop): Promise<number> {
  const begun = performance.now();
  await loop.stop(Deadline.after(seconds(4)));
  return performance.now() - begun;
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
