// A store whose files were damaged: never a silent fresh start, never a crash without a word.
import assert from 'node:assert/strict';
import { appendFile, cp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ClassicLevel } from 'classic-level';
import { storeErrors } from '../../../src/edge/store/errors.ts';
import { jsonTable, orderedNumber } from '../../../src/edge/store/store-layout.ts';
import { Deadline } from '../../../src/kit/deadline.ts';
import { messageOf } from '../../../src/kit/errors.ts';
import { seconds } from '../../../src/kit/units.ts';
import { flipBit, openStore, storeFile } from '../../support/store-files.ts';
import { tempDir } from '../../support/temp-dir.ts';

const NUMBERS = jsonTable<number>('numbers');

/** A store with some commits in its log, none of them in a table yet. */
async function filled(dataDir: string, commits = 20): Promise<void> {
  await using store = await openStore(dataDir);
  for (let n = 0; n < commits; n += 1) await store.commit((tx) => tx.put(NUMBERS, orderedNumber(n), n));
}

async function refusal(dataDir: string, error: (typeof storeErrors)['STORE_DAMAGED']): Promise<string> {
  const failure = await openStore(dataDir).then(
    async (store) => {
      await store.stop(Deadline.after(seconds(5)));
      return assert.fail('it started');
    },
    (caught: unknown) => caught,
  );
  assert.ok(error.is(failure), messageOf(failure));
  return messageOf(failure);
}

void test('a flipped bit in the log is said, with the file, the place and the way out, and nothing is changed', async () => {
  await using dir = await tempDir();
  await filled(dir.path);
  const log = await storeFile(dir.path, /\.log$/);
  const { size } = await stat(log);
  await flipBit(log, Math.floor(size / 2));
  const before = await readFile(log);

  const message = await refusal(dir.path, storeErrors.STORE_DAMAGED);

  assert.match(message, new RegExp(`${log} cannot be read at byte \\d+`));
  assert.match(message, new RegExp(`skerry edge repair --data-dir ${dir.path}`));
  assert.deepEqual(await readFile(log), before);
});

void test('an unfinished last record, as a power cut leaves it, is no damage: every commit before it is there', async () => {
  await using dir = await tempDir();
  await filled(dir.path, 10);
  const log = await storeFile(dir.path, /\.log$/);
  await truncate(log, (await stat(log)).size - 3);
  await appendFile(log, Buffer.alloc(100));

  await using store = await openStore(dir.path);

  const found: number[] = [];
  for await (const [, value] of store.all(NUMBERS)) found.push(value);
  assert.deepEqual(found, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
});

for (const [what, pattern] of [
  ['the log', /\.log$/],
  ['CURRENT', /^CURRENT$/],
  ['the manifest', /^MANIFEST-/],
] as const) {
  void test(`a store without ${what} is damaged, and not taken for a new one`, async () => {
    await using dir = await tempDir();
    await filled(dir.path);
    await filled(dir.path);
    const file = await storeFile(dir.path, pattern);
    await rm(file);

    assert.match(await refusal(dir.path, storeErrors.STORE_DAMAGED), new RegExp(`${file} is missing`));
  });
}

void test('a store without one of its tables, or with a manifest that cannot be read, is damaged', async () => {
  await using dir = await tempDir();
  await filled(dir.path);
  await filled(dir.path);
  await cp(join(dir.path, 'store'), join(dir.path, 'saved'), { recursive: true });
  await rm(await storeFile(dir.path, /\.ldb$/));
  assert.match(await refusal(dir.path, storeErrors.STORE_DAMAGED), /missing files/);

  await rm(join(dir.path, 'store'), { recursive: true });
  await cp(join(dir.path, 'saved'), join(dir.path, 'store'), { recursive: true });
  const manifest = await storeFile(dir.path, /^MANIFEST-/);
  await flipBit(manifest, (await stat(manifest)).size - 5);
  assert.match(await refusal(dir.path, storeErrors.STORE_DAMAGED), /MANIFEST-\d+ cannot be read/);
});

void test('a data directory whose store is gone, or was emptied, is not begun anew', async () => {
  await using dir = await tempDir();
  await filled(dir.path);
  await rm(join(dir.path, 'store'), { recursive: true });
  assert.match(await refusal(dir.path, storeErrors.STORE_MISSING), /is empty now/);

  const level = new ClassicLevel(join(dir.path, 'store'));
  await level.open();
  await level.close();
  assert.match(await refusal(dir.path, storeErrors.STORE_MISSING), /nothing is left in it/);
});

void test('a store from before there was a marker is taken as it is, and gets one', async () => {
  await using dir = await tempDir();
  await filled(dir.path);
  await rm(join(dir.path, 'store.json'));

  await filled(dir.path);

  assert.equal((await stat(join(dir.path, 'store.json'))).isFile(), true);
});

void test('a first start that was cut short before anything was kept begins anew', async () => {
  await using dir = await tempDir();
  await filled(dir.path);
  const manifest = await readFile(await storeFile(dir.path, /^MANIFEST-/));
  await rm(join(dir.path, 'store.json'));
  await rm(join(dir.path, 'store'), { recursive: true });
  const level = new ClassicLevel(join(dir.path, 'store'));
  await level.open();
  await level.close();
  for (const name of await readdir(join(dir.path, 'store'))) await rm(join(dir.path, 'store', name));
  await writeFile(join(dir.path, 'store', 'MANIFEST-000001'), manifest);

  await filled(dir.path);
});

void test('a value that cannot be read is named with its table and key, and the store says that it fails', async () => {
  await using dir = await tempDir();
  await filled(dir.path, 3);
  const level = new ClassicLevel(join(dir.path, 'store'));
  await level.put(`numbers!${orderedNumber(1)}`, '{"cut');
  await level.close();
  await using store = await openStore(dir.path);

  await assert.rejects(store.get(NUMBERS, orderedNumber(1)), (error) => {
    assert.ok(storeErrors.STORE_DAMAGED.is(error));
    assert.match(messageOf(error), /the value of "0+1" in its table "numbers" cannot be read/);
    return true;
  });
  assert.equal(await store.get(NUMBERS, orderedNumber(2)), 2);
  assert.equal(store.health().state, 'failing');
});

void test('a running node is named as such to a second one, also where its files look damaged', async () => {
  await using dir = await tempDir();
  await using first = await openStore(dir.path);
  await first.commit((tx) => tx.put(NUMBERS, 'a', 1));
  await first.commit((tx) => tx.put(NUMBERS, 'b', 1));
  await flipBit(await storeFile(dir.path, /\.log$/), 3);

  await refusal(dir.path, storeErrors.STORE_LOCKED);
});
