// Files that only their owner may read: written beside their place and moved there, so that nobody sees half of one.
import { chmod, mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from '../../kit/errors.ts';

export async function ensurePrivateDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await chmod(path, 0o700);
}

/** The text of a file, or `undefined` when there is none. */
export async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Durable when it resolves: file and directory are synced. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.tmp`;
  await using file = await open(draft, 'w', 0o600);
  await file.chmod(0o600);
  await file.writeFile(text);
  await file.sync();
  await rename(draft, path);
  await using directory = await open(dirname(path), 'r');
  await directory.sync();
}
