// The store on a disk that is really full: what was refused is not there afterwards, what was kept is, and reading goes on.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { EdgeStore } from '../../../src/edge/store/edge-store.ts';
import { storeErrors } from '../../../src/edge/store/errors.ts';
import { jsonTable, orderedNumber } from '../../../src/edge/store/store-layout.ts';
import { SmallDisk } from '../../support/small-disk.ts';
import { openStore } from '../../support/store-files.ts';
import { tempDir } from '../../support/temp-dir.ts';

const run = promisify(execFile);
const NUMBERS = jsonTable<number>('numbers');
const TEXTS = jsonTable<string>('texts');

async function entriesOf(store: EdgeStore): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const [key, value] of store.all(TEXTS)) found[key] = value;
  return found;
}

const put = (store: EdgeStore, key: string, value: string): Promise<void> =>
  store.commit((tx) => tx.put(TEXTS, key, value));

async function refused(commit: Promise<unknown>): Promise<void> {
  await assert.rejects(commit, (error) => storeErrors.STORE_UNAVAILABLE.is(error));
}

for (const size of [100, 3_000, 60_000]) {
  void test(`commits of ${size} bytes that a full disk refused are not there later, and all others are`, async () => {
    await using disk = await SmallDisk.mount(24);
    const dataDir = join(disk.path, 'data');
    const kept: Record<string, string> = {};
    const text = (n: number): string => String(n).padEnd(size, '.');
    for (let round = 0; round < 3; round += 1) {
      await using store = await openStore(dataDir);
      await put(store, 'replaced', text(round));
      kept['replaced'] = text(round);
      await disk.fill(8192);
      let failures = 0;
      for (let n = 0; failures < 3; n += 1) {
        const key = `${round}-${orderedNumber(n)}`;
        try {
          await store.commit((tx) => {
            tx.put(TEXTS, key, text(n));
            tx.put(TEXTS, 'replaced', text(n));
          });
          kept[key] = kept['replaced'] = text(n);
        } catch (error) {
          assert.ok(storeErrors.STORE_UNAVAILABLE.is(error));
          failures += 1;
        }
      }
      assert.equal(store.health().state, 'failing');
      assert.deepEqual(await entriesOf(store), kept);

      await disk.free();
      await put(store, `after-${round}`, 'kept');
      kept[`after-${round}`] = 'kept';
      assert.equal(store.health().state, 'ok');
      assert.deepEqual(await entriesOf(store), kept);
    }

    await using again = await openStore(dataDir);
    assert.deepEqual(await entriesOf(again), kept);
  });
}

void test('reading goes on while the disk is full and while the database is opened anew', async () => {
  await using disk = await SmallDisk.mount(24);
  await using store = await openStore(join(disk.path, 'data'));
  for (let n = 0; n < 2_000; n += 1) void put(store, orderedNumber(n), 'x'.repeat(100));
  await put(store, 'last', 'x');
  const enough = new AbortController();
  let rounds = 0;
  const reader = (async () => {
    for (; !enough.signal.aborted; rounds += 1) {
      assert.equal(Object.keys(await entriesOf(store)).length, 2_001);
      assert.equal(await store.get(TEXTS, 'last'), 'x');
      assert.equal((await store.between(TEXTS, { after: '', before: '~', limit: 3_000 })).length, 2_001);
    }
  })();

  await disk.fill();
  for (let failures = 0; failures < 5; failures += 1) await refused(put(store, 'last', 'y'.repeat(10_000)));
  await disk.free();
  await put(store, 'last', 'x');
  const atEnd = rounds;
  while (rounds < atEnd + 2) await new Promise(setImmediate);
  enough.abort();

  await reader;
});

void test('a background compaction that finds the disk full refuses writes, and they are taken again when there is space', async () => {
  await using disk = await SmallDisk.mount(32);
  await using store = await openStore(join(disk.path, 'data'));
  const kept: Record<string, string> = {};
  // The log is as large as the write buffer then: the next few commits switch to a new one, and its table needs as much again.
  const value = 'x'.repeat(50_000).replaceAll('x', () => String.fromCharCode(33 + Math.floor(Math.random() * 90)));
  for (let n = 0; n < 40; n += 1) await put(store, orderedNumber(n), (kept[orderedNumber(n)] = value));
  await disk.fill(600_000);
  let refusals = 0;
  for (let n = 40; refusals === 0; n += 1) {
    try {
      await put(store, orderedNumber(n), value);
      kept[orderedNumber(n)] = value;
    } catch (error) {
      assert.ok(storeErrors.STORE_UNAVAILABLE.is(error));
      refusals += 1;
    }
  }

  await disk.free();
  await put(store, 'after', 'kept');

  assert.deepEqual(await entriesOf(store), { ...kept, after: 'kept' });
});

void test('a start on a full disk is refused with the reason, and one when there is space finds everything', async () => {
  await using disk = await SmallDisk.mount(24);
  const dataDir = join(disk.path, 'data');
  {
    await using store = await openStore(dataDir);
    await put(store, 'a', 'kept');
  }
  await disk.fill();
  await assert.rejects(openStore(dataDir), (error) => {
    assert.ok(storeErrors.STORE_UNREADABLE.is(error));
    assert.match((error as Error).message, /No space left on device/);
    return true;
  });
  await assert.rejects(openStore(join(disk.path, 'never-before')));

  await disk.free();
  await using store = await openStore(dataDir);
  await using other = await openStore(join(disk.path, 'never-before'));
  assert.deepEqual(await entriesOf(store), { a: 'kept' });
  assert.deepEqual(await entriesOf(other), {});
});

void test('a commit whose sync fails is not there afterwards, although LevelDB finds it in its log', async () => {
  await using dir = await tempDir();
  const script = fileURLToPath(new URL('./refused-sync-child.js', import.meta.url));
  // The kernel says so once, at the twentieth sync of the one thread that LevelDB works in.
  const inject = ['-f', '-o', '/dev/null', '-e', 'trace=fdatasync', '-e', 'inject=fdatasync:error=EIO:when=20'];
  const env = { ...process.env, UV_THREADPOOL_SIZE: '1' };

  const { stdout } = await run('strace', [...inject, process.execPath, script, dir.path], { env });

  const { refused, isTaken, values } = JSON.parse(stdout) as { refused: number; isTaken: boolean; values: unknown[] };
  assert.ok(refused > 0);
  assert.equal(isTaken, true);
  assert.deepEqual(values, [null, refused - 1]);
  await using store = await openStore(dir.path);
  assert.equal(await store.get(NUMBERS, String(refused)), undefined);
  assert.equal(await store.get(NUMBERS, 'newest'), refused + 1);
});
