// Hands on the files of a store, as a bad disk has them.
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EdgeStore } from '../../src/edge/store/edge-store.ts';
import { Deadline } from '../../src/kit/deadline.ts';
import { silentLogger, type Logger } from '../../src/kit/logger.ts';
import { seconds } from '../../src/kit/units.ts';

export async function openStore(dataDir: string, logger: Logger = silentLogger): Promise<EdgeStore & AsyncDisposable> {
  const store = new EdgeStore({ dataDir }, { logger });
  await store.start(new AbortController().signal);
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.stop(Deadline.after(seconds(5))) });
}

/** The newest file of the store whose name matches. */
export async function storeFile(dataDir: string, pattern: RegExp): Promise<string> {
  const names = await readdir(join(dataDir, 'store'));
  const name = names
    .filter((each) => pattern.test(each))
    .sort()
    .at(-1);
  return join(dataDir, 'store', name ?? assert.fail(`no ${String(pattern)} among ${names.join(', ')}`));
}

export async function flipBit(file: string, at: number, bit = 0): Promise<void> {
  const bytes = await readFile(file);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
  await writeFile(file, bytes);
}

/** Name → bytes of every file in the folder but LevelDB's diary, which it begins anew whenever it looks at the lock. */
export async function filesIn(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith('LOG')).sort();
  const files = new Map<string, Buffer>();
  for (const name of names) files.set(name, await readFile(join(folder, name)));
  return files;
}
