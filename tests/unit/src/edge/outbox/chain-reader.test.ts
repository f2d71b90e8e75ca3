// What is read of a chain at once: enough to send, and no more than memory should hold, whatever the facts weigh.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChainBacklog } from '../../../../../src/edge/outbox/chain-backlog.ts';
import { ChainReader } from '../../../../../src/edge/outbox/chain-reader.ts';
import { entryKey, type Weighed } from '../../../../../src/edge/outbox/outbox-key.ts';
import { OUTBOX_ENTRIES } from '../../../../../src/edge/outbox/stored-entry.ts';
import { OneAtATime } from '../../../../../src/kit/one-at-a-time.ts';
import { MemoryStore } from '../../../../support/memory-store.ts';

const NAME = 'skerry.v1.node.edge.up.twin.default.boiler';
const FACT = { device: { namespace: 'default', name: 'boiler' }, uid: 'u', binding: 1, at: 0, changes: [] };
const KIB = 1024;
const MIB = 1024 * KIB;

/** A chain as a start finds it: its facts are on disk only. */
async function chainOf(weights: readonly number[]) {
  const store = new MemoryStore(new Map(), () => Promise.resolve());
  const backlog = new ChainBacklog();
  const entries = weights.map((bytes, place): Weighed => ({ sequence: place + 1, bytes, isCompactable: false }));
  await store.commit((tx) => {
    for (const entry of entries) tx.put(OUTBOX_ENTRIES, entryKey(NAME, entry), { incarnation: 'i', fact: FACT });
  });
  for (const entry of entries) backlog.foundOnDisk(entry, 0);
  const reader = new ChainReader({ store, turns: new OneAtATime(), linked: () => 7 });
  return { reader, chain: { name: NAME, backlog }, backlog };
}

const times = (count: number, bytes: number): number[] => Array.from({ length: count }, () => bytes);

void test('light facts are read two hundred at once, and handed out as asked', async () => {
  const { reader, chain, backlog } = await chainOf(times(300, 400));
  const handedOut = await reader.oldest(chain, 3);
  assert.deepEqual(
    handedOut.map(({ sequence }) => sequence),
    [1, 2, 3],
  );
  assert.equal(backlog.inMemory, 200);
  assert.equal(backlog.waiting, 300);
});

void test('heavy facts are read up to four MiB at once', async () => {
  const { reader, chain, backlog } = await chainOf([...times(20, 400), ...times(30, 512 * KIB)]);
  await reader.oldest(chain, 1);
  assert.equal(backlog.inMemory, 27);
});

void test('a fact that alone weighs more than that is read by itself', async () => {
  const { reader, chain, backlog } = await chainOf([5 * MIB, 400, 400]);
  const handedOut = await reader.oldest(chain, 10);
  assert.deepEqual(
    handedOut.map(({ sequence }) => sequence),
    [1],
  );
  assert.equal(backlog.inMemory, 1);
});

void test('a chain that the stream holds less of than believed waits from there again, and what it has is acknowledged', async () => {
  const { reader, chain, backlog } = await chainOf(times(10, 400));
  await reader.recount(chain, { acknowledged: 8, streamSequence: 80 });
  assert.deepEqual([backlog.waiting, backlog.acknowledgedBytes], [2, 8 * 400]);
  await reader.recount(chain, { acknowledged: 4, streamSequence: 40 });
  assert.deepEqual([backlog.waiting, backlog.acknowledgedBytes], [6, 4 * 400]);
  const [oldest] = await reader.oldest(chain, 1);
  assert.equal(oldest?.sequence, 5);
});
