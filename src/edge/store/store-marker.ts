// A small file beside the database that says: there is a store here. A folder that lost it is then told from one that never had any.
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../kit/errors.ts';
import { STORE_FORMAT } from './store-layout.ts';

const fileIn = (dataDir: string): string => join(dataDir, 'store.json');

export async function hasMarker(dataDir: string): Promise<boolean> {
  try {
    await readFile(fileIn(dataDir));
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Only once the first commit is on disk; on disk itself when it resolves. */
export async function writeMarker(dataDir: string): Promise<void> {
  const draft = `${fileIn(dataDir)}.new`;
  const file = await open(draft, 'w', 0o600);
  try {
    await file.writeFile(`{"format":${STORE_FORMAT}}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, fileIn(dataDir));
  await syncFolder(dataDir);
}

/** Names are in their folder for good only when the folder is synced too. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
