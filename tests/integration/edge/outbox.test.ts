// The outbox over a real store: nothing lost, nothing doubled, in order, across restarts.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Outbox, OUTBOX_ENTRIES, POSITIONS } from '../../../src/edge/outbox/outbox.ts';
import { EdgeStore } from '../../../src/edge/store/edge-store.ts';
import { storeErrors } from '../../../src/edge/store/errors.ts';
import { Deadline } from '../../../src/kit/deadline.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { seconds } from '../../../src/kit/units.ts';
import type { Fact } from '../../../src/model/fact.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { ROOMY } from '../../support/roomy-outbox.ts';

const NEVER = new AbortController().signal;
const CHAIN = 'skerry.n1.up.twin.default.boiler';
const OTHER = 'skerry.n1.up.twin.default.boiler-2';
const SOON = (): Deadline => Deadline.after(seconds(5));

interface Running {
  readonly store: EdgeStore;
  readonly outbox: Outbox;
  /** As at the end of a process that was asked. */
  stop(): Promise<void>;
  /** As after a crash: the outbox writes nothing more. */
  crash(): Promise<void>;
}

async function open(dataDir: string, clock = new ManualClock(), incarnation = 'first'): Promise<Running> {
  const store = new EdgeStore({ dataDir }, { logger: silentLogger });
  await store.start(NEVER);
  const outbox = new Outbox(ROOMY, { store, clock, incarnation: () => incarnation, logger: silentLogger });
  await outbox.start(NEVER);
  const stop = async (): Promise<void> => {
    await outbox.stop(SOON());
    await store.stop(SOON());
  };
  const crash = async (): Promise<void> => {
    await store.stop(SOON());
    await outbox.stop(SOON()).catch(() => 'its store is gone');
  };
  return { store, outbox, stop, crash };
}

const factOf = (n: number): Fact => ({
  device: { namespace: 'default', name: 'boiler' },
  uid: 'u',
  binding: 1,
  at: n,
  changes: [{ kind: 'reported', property: 'count', type: 'INT', value: String(n), n }],
});

/** In groups of a hundred commits at once. */
async function enlist({ store, outbox }: Running, from: number, through: number, chain = CHAIN): Promise<void> {
  for (let first = from; first <= through; first += 100) {
    const group = Array.from({ length: Math.min(100, through - first + 1) }, (_, n) => first + n);
    await Promise.all(group.map((n) => store.commit((tx) => outbox.enlist(tx, chain, factOf(n)))));
  }
}

/** Sends up to so many facts as the uplink does; returns their numbers. */
async function send({ outbox }: Running, most: number, chain = CHAIN): Promise<number[]> {
  const sent: number[] = [];
  while (sent.length < most) {
    const entries = await outbox.oldest(chain, Math.min(100, most - sent.length));
    const newest = entries.at(-1);
    if (newest === undefined) break;
    sent.push(...entries.map(({ fact }) => fact.at));
    outbox.acknowledge(chain, { acknowledged: newest.sequence, streamSequence: newest.sequence });
  }
  return sent;
}

const numbers = (from: number, through: number): number[] =>
  Array.from({ length: through - from + 1 }, (_, n) => from + n);

async function entriesOnDisk({ store }: Running): Promise<number> {
  const keys: string[] = [];
  for await (const key of store.keys(OUTBOX_ENTRIES)) keys.push(key);
  return keys.length;
}

void test('more facts than the memory may hold come out once each and in order, also those that arrive meanwhile', async () => {
  await using dir = await tempDir();
  const running = await open(dir.path);
  await enlist(running, 1, 7000);
  assert.equal(running.outbox.waiting(CHAIN), 7000);

  const sending = send(running, 7200);
  await enlist(running, 7001, 7200);

  const sent = [...(await sending), ...(await send(running, 10_000))];
  assert.deepEqual(sent, numbers(1, 7200));
  assert.equal(running.outbox.depth(), 0);
  await running.stop();
});

void test('each chain has its own order and count', async () => {
  await using dir = await tempDir();
  const running = await open(dir.path);
  await enlist(running, 1, 10);
  await enlist(running, 101, 105, OTHER);

  assert.deepEqual([running.outbox.waiting(CHAIN), running.outbox.waiting(OTHER), running.outbox.depth()], [10, 5, 15]);
  assert.deepEqual(await send(running, 100, OTHER), numbers(101, 105));
  assert.deepEqual(await send(running, 100), numbers(1, 10));
  await running.stop();
});

void test('after an orderly restart in the middle the rest goes on where it was', async () => {
  await using dir = await tempDir();
  let running = await open(dir.path);
  await enlist(running, 1, 500);
  assert.deepEqual(await send(running, 230), numbers(1, 230));
  await running.stop();

  running = await open(dir.path, new ManualClock(), 'second');
  assert.equal(running.outbox.waiting(CHAIN), 270);
  await enlist(running, 501, 510);
  const incarnations = new Set((await running.outbox.oldest(CHAIN, 1000)).map(({ incarnation }) => incarnation));
  assert.deepEqual([...incarnations], ['first']);
  assert.deepEqual(await send(running, 1000), numbers(231, 510));
  await running.stop();
});

void test('after a crash the stream says where to go on, and no number is used twice', async () => {
  await using dir = await tempDir();
  let running = await open(dir.path);
  await enlist(running, 1, 300);
  await send(running, 120);
  await running.crash();

  running = await open(dir.path);
  assert.equal(running.outbox.waiting(CHAIN), 300);
  await running.outbox.moveTo(CHAIN, { acknowledged: 120, streamSequence: 120 });
  assert.equal(running.outbox.waiting(CHAIN), 180);
  await enlist(running, 301, 310);
  const sequences = (await running.outbox.oldest(CHAIN, 1000)).map(({ sequence }) => sequence);
  assert.equal(sequences[0], 121);
  assert.deepEqual(await send(running, 1000), numbers(121, 310));
  await running.stop();
});

void test('a stream that lost its tail gets it again, with facts that arrive during the reading', async () => {
  await using dir = await tempDir();
  const running = await open(dir.path);
  await enlist(running, 1, 1000);
  await send(running, 900);

  const moving = running.outbox.moveTo(CHAIN, { acknowledged: 850, streamSequence: 850 });
  const arriving = enlist(running, 1001, 1200);
  await Promise.all([moving, arriving]);

  assert.equal(running.outbox.waiting(CHAIN), 350);
  assert.deepEqual(await send(running, 10_000), numbers(851, 1200));
  await running.stop();
});

void test('two readings of one chain at once leave nothing out', async () => {
  await using dir = await tempDir();
  const running = await open(dir.path);
  await enlist(running, 1, 1000);

  const { outbox } = running;
  const to = (acknowledged: number): Promise<void> =>
    outbox.moveTo(CHAIN, { acknowledged, streamSequence: acknowledged });
  await Promise.all([
    to(100),
    outbox.oldest(CHAIN, 100),
    enlist(running, 1001, 1100),
    to(100),
    enlist(running, 1101, 1200),
  ]);

  assert.equal(outbox.waiting(CHAIN), 1100);
  assert.deepEqual(await send(running, 10_000), numbers(101, 1200));
  await running.stop();
});

/** A store whose disk is full while the test says so. */
class FullStore extends EdgeStore {
  isFull = false;
  refused = 0;

  override commit<T>(build: Parameters<typeof EdgeStore.prototype.commit<T>>[0]): Promise<T> {
    if (!this.isFull) return super.commit(build);
    return super.commit((tx) => {
      build(tx);
      this.refused += 1;
      tx.undo();
      throw storeErrors.STORE_UNAVAILABLE({ reason: 'no space left on device' });
    });
  }
}

// Both wait for the regular sweep, together.
void suite('the regular sweep', { concurrency: true }, () => {
  void test('what the stream acknowledged stays on disk for more than two minutes, and what waits stays for ever', async () => {
    await using dir = await tempDir();
    const clock = new ManualClock();
    const running = await open(dir.path, clock);
    running.outbox.beginSession(() => true);
    await enlist(running, 1, 30);
    await send(running, 10);
    clock.advance(100_000);
    await send(running, 10);

    clock.advance(31_000);

    await waitUntil('the older ten to be swept', async () => (await entriesOnDisk(running)) <= 20);
    assert.equal(await entriesOnDisk(running), 20);
    await running.crash();
    const again = await open(dir.path, clock);
    assert.equal(again.outbox.position(CHAIN).acknowledged, 20);
    assert.deepEqual(await send(again, 100), numbers(21, 30));
    await again.stop();
  });

  void test('while the server is away nothing of what it acknowledged is swept, nor before its chain is placed again', async () => {
    await using dir = await tempDir();
    const clock = new ManualClock();
    const running = await open(dir.path, clock);
    running.outbox.beginSession(() => true);
    await enlist(running, 1, 30);
    await enlist(running, 101, 105, OTHER);
    await send(running, 20);
    await send(running, 5, OTHER);
    running.outbox.endSession();
    clock.advance(600_000);
    const isSwept = async (): Promise<boolean> => (await running.store.get(POSITIONS, CHAIN)) !== undefined;
    await waitUntil('a sweep while the server is away', isSwept);

    running.outbox.beginSession((chain) => chain === OTHER);
    clock.advance(131_000);
    await waitUntil('the placed chain to be swept', async () => (await entriesOnDisk(running)) <= 30);
    assert.deepEqual([...running.outbox.chains()], [CHAIN]);

    await running.outbox.moveTo(CHAIN, { acknowledged: 5, streamSequence: 5 });
    assert.deepEqual(await send(running, 100), numbers(6, 30));
    await running.stop();
  });

  void test('a full disk neither ends the outbox nor keeps it from stopping, and what it refused is written later', async () => {
    await using dir = await tempDir();
    const store = new FullStore({ dataDir: dir.path }, { logger: silentLogger });
    await store.start(NEVER);
    const outbox = new Outbox(ROOMY, { store, clock: new ManualClock(), incarnation: () => 'i', logger: silentLogger });
    await outbox.start(NEVER);
    let ended: unknown = 'running';
    void outbox.ended.then((failure) => (ended = failure));
    for (let n = 0; n < 3; n += 1) await store.commit((tx) => outbox.enlist(tx, CHAIN, factOf(n)));
    outbox.acknowledge(CHAIN, { acknowledged: 2, streamSequence: 9 });

    store.isFull = true;
    await waitUntil('the sweep to be refused', () => store.refused > 0);
    await new Promise(setImmediate);
    assert.equal(ended, 'running');
    store.isFull = false;
    await outbox.stop(Deadline.after(seconds(2)));

    const next = new Outbox(ROOMY, { store, clock: new ManualClock(), incarnation: () => 'j', logger: silentLogger });
    await next.start(NEVER);
    assert.deepEqual(next.position(CHAIN), { acknowledged: 2, streamSequence: 9 });
    assert.equal(next.waiting(CHAIN), 1);
    store.isFull = true;
    next.acknowledge(CHAIN, { acknowledged: 3, streamSequence: 10 });
    await next.stop(Deadline.after(seconds(2)));
    await store.stop(Deadline.after(seconds(2)));
  });
});
