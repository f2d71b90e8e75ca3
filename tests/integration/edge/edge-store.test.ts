// The edge's LevelDB, on a disk.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ClassicLevel } from 'classic-level';
import { storeErrors } from '../../../src/edge/store/errors.ts';
import { EdgeStore } from '../../../src/edge/store/edge-store.ts';
import { jsonTable, orderedNumber, STORE_FORMAT } from '../../../src/edge/store/store-layout.ts';
import { newestEnlisted, oldestHeld } from '../../../src/edge/outbox/enlisted-before.ts';
import { COUNTER } from '../../../src/edge/outbox/outbox.ts';
import { openIncarnation } from '../../../src/edge/store/store-identity.ts';
import { Deadline } from '../../../src/kit/deadline.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { seconds } from '../../../src/kit/units.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { waitUntil } from '../../support/wait-until.ts';

const NEVER = new AbortController().signal;
const NUMBERS = jsonTable<number>('numbers');
const OTHERS = jsonTable<number>('number');

async function open(dataDir: string): Promise<EdgeStore & AsyncDisposable> {
  const store = new EdgeStore({ dataDir }, { logger: silentLogger });
  await store.start(NEVER);
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.stop(Deadline.after(seconds(5))) });
}

async function entriesOf(store: EdgeStore, table = NUMBERS): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for await (const [key, value] of store.all(table)) found[key] = value;
  return found;
}

void test('a commit is on disk whole, and one that fails is not on disk at all', async () => {
  await using dir = await tempDir();
  {
    await using store = await open(dir.path);
    await store.commit((tx) => {
      tx.put(NUMBERS, 'a', 1);
      tx.put(OTHERS, 'a', 2);
      tx.put(NUMBERS, 'gone', 3);
      tx.remove(NUMBERS, 'gone');
    });
    const failing = store.commit((tx) => {
      tx.put(NUMBERS, 'b', 1);
      throw new Error('decided otherwise');
    });
    await assert.rejects(failing, /decided otherwise/);
  }

  await using again = await open(dir.path);
  assert.deepEqual(await entriesOf(again), { a: 1 });
  assert.deepEqual(await entriesOf(again, OTHERS), { a: 2 });
});

void test('commits are announced in the order of the calls, and each caller finds its values on disk', async () => {
  await using dir = await tempDir();
  await using store = await open(dir.path);
  const announced: number[] = [];

  await Promise.all(
    Array.from({ length: 500 }, async (_, n) => {
      await store.commit((tx) => {
        tx.put(NUMBERS, orderedNumber(n), n);
        tx.afterCommit(() => announced.push(n));
      });
      assert.equal(await store.get(NUMBERS, orderedNumber(n)), n);
    }),
  );

  assert.deepEqual(
    announced,
    Array.from({ length: 500 }, (_, n) => n),
  );
  assert.deepEqual(Object.values(await entriesOf(store)), announced);
});

void test('ranges hold what lies within them and nothing of another table', async () => {
  await using dir = await tempDir();
  await using store = await open(dir.path);
  await store.commit((tx) => {
    for (let n = 0; n < 20; n += 1) tx.put(NUMBERS, orderedNumber(n), n);
    tx.put(OTHERS, orderedNumber(5), 99);
  });
  const bounds = { after: orderedNumber(3), before: orderedNumber(8) };

  const found = await store.between(NUMBERS, { ...bounds, limit: 3 });
  assert.deepEqual(
    found.map(([, value]) => value),
    [4, 5, 6],
  );
  await store.clear(NUMBERS, { from: orderedNumber(0), through: orderedNumber(17) });

  assert.deepEqual(Object.values(await entriesOf(store)), [18, 19]);
  assert.deepEqual(Object.values(await entriesOf(store, OTHERS)), [99]);
});

void test('a second opener is told that the store is in use, and the first goes on', async () => {
  await using dir = await tempDir();
  await using store = await open(dir.path);

  const second = new EdgeStore({ dataDir: dir.path }, { logger: silentLogger });
  await assert.rejects(second.start(NEVER), (error) => storeErrors.STORE_LOCKED.is(error));
  await second.stop(Deadline.after(seconds(1)));

  await store.commit((tx) => tx.put(NUMBERS, 'a', 1));
  assert.deepEqual(await entriesOf(store), { a: 1 });
});

void test('a store of a newer format is refused and left as it is', async () => {
  await using dir = await tempDir();
  await open(dir.path).then((store) => store.stop(Deadline.after(seconds(5))));
  const format = `{"version":${STORE_FORMAT + 1}}`;
  const level = new ClassicLevel(join(dir.path, 'store'));
  assert.equal(await level.get('format!'), `{"version":${STORE_FORMAT}}`);
  await level.put('format!', format);
  await level.close();

  const store = new EdgeStore({ dataDir: dir.path }, { logger: silentLogger });
  await assert.rejects(store.start(NEVER), (error) => storeErrors.STORE_FORMAT_UNKNOWN.is(error));
  await store.stop(Deadline.after(seconds(1)));

  await level.open();
  assert.equal(await level.get('format!'), format);
  await level.close();
});

void test('a data directory that is none is refused with its name', async () => {
  await using dir = await tempDir();
  const file = join(dir.path, 'file');
  await writeFile(file, '');

  const store = new EdgeStore({ dataDir: file }, { logger: silentLogger });
  await assert.rejects(store.start(NEVER), (error) => storeErrors.STORE_UNREADABLE.is(error));
  await store.stop(Deadline.after(seconds(1)));
});

void test('a closed store refuses, and loses nothing that it took before', async () => {
  await using dir = await tempDir();
  const store = await open(dir.path);
  const commits = Array.from({ length: 50 }, (_, n) => store.commit((tx) => tx.put(NUMBERS, String(n), n)));

  await store.stop(Deadline.after(seconds(5)));

  await Promise.all(commits);
  await assert.rejects(
    store.commit((tx) => tx.put(NUMBERS, 'late', 1)),
    (error) => storeErrors.STORE_UNAVAILABLE.is(error),
  );
  await using again = await open(dir.path);
  assert.equal(Object.keys(await entriesOf(again)).length, 50);
});

const ENLISTED = { newest: newestEnlisted, oldestHeld };

void test('each start of a store is a new incarnation that knows the earlier ones, and how much they had enlisted', async () => {
  await using dir = await tempDir();
  const identities = [];
  for (let starts = 0; starts < 3; starts += 1) {
    await using store = await open(dir.path);
    identities.push(await openIncarnation(store, ENLISTED));
    await store.commit((tx) => tx.put(COUNTER, '', (starts + 1) * 10));
  }

  const [first, second, third] = identities.map(({ incarnation }) => incarnation);
  assert.equal(new Set(identities.map(({ storeId }) => storeId)).size, 1);
  assert.deepEqual(identities.at(-1)?.starts, [
    { incarnation: first, from: 0 },
    { incarnation: second, after: first, from: 10 },
    { incarnation: third, after: second, from: 20 },
  ]);
});

void test('a store of the format before goes on under its identity, and finds what its starts began from', async () => {
  await using dir = await tempDir();
  await writeOldStore(dir.path);

  await using store = await open(dir.path);
  const { storeId, term, starts, incarnation } = await openIncarnation(store, ENLISTED);

  assert.deepEqual({ storeId, term }, { storeId: 'd8f2b1c4a5e60718', term: 3 });
  assert.deepEqual(starts, [
    // Nothing of the first is held any more: it ended, at the latest, where the next began.
    { incarnation: 'a1', from: 6 },
    { incarnation: 'b2', after: 'a1', from: 6 },
    { incarnation: 'c3', after: 'b2', from: 8 },
    { incarnation, after: 'c3', from: 9 },
  ]);
});

/** As version 0.1 wrote it before its starts had counts: facts 7 and 8 of the second start, and 9 of the third, wait. */
async function writeOldStore(dataDir: string): Promise<void> {
  const level = new ClassicLevel(join(dataDir, 'store'));
  const entry = (incarnation: string): string => JSON.stringify({ incarnation, fact: { changes: [] } });
  const chain = 'outbox!skerry.n1.up.twin.default.boiler/';
  await level.put('format!', '{"version":1}');
  await level.put('identity!', '{"storeId":"d8f2b1c4a5e60718","incarnation":"c3","past":["a1","b2"],"term":3}');
  await level.put('sequence!', '9');
  await level.put(`${chain}${orderedNumber(7)}`, entry('b2'));
  await level.put(`${chain}${orderedNumber(8)}`, entry('b2'));
  await level.put(`${chain}${orderedNumber(9)}`, entry('c3'));
  await level.close();
}

void test('a process killed while it writes has every commit it spoke of, and no half one', async () => {
  await using dir = await tempDir();
  const script = fileURLToPath(new URL('./committing-child.js', import.meta.url));
  const child = spawn(process.execPath, [script, dir.path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let spoken = '';
  child.stdout.on('data', (chunk: Buffer) => {
    spoken += chunk.toString();
  });
  await waitUntil('some commits', () => spoken.length > 5000);
  const exited = once(child, 'close');
  child.kill('SIGKILL');
  await exited;

  await using store = await open(dir.path);
  const entries = await entriesOf(store);
  // The last line may be cut.
  for (const key of spoken.split('\n').slice(0, -1)) assert.equal(entries[key], Number(key));
  for (const key of Object.keys(entries)) {
    assert.ok((key.startsWith('twin-of-') ? key.slice(8) : `twin-of-${key}`) in entries, key);
  }
});
