// Under which name a hub holds the lease: its own for as long as its data dir, so that one that was killed has its lease back at
// once; and with the machine's name in it, because a data dir can be copied.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { readIfThere, writePrivateFile } from './private-files.ts';

export async function hubIdentity(dataDir: string): Promise<string> {
  const file = join(dataDir, 'hub-id');
  const kept = (await readIfThere(file))?.trim();
  const id = kept === undefined || kept === '' ? randomUUID() : kept;
  if (id !== kept) await writePrivateFile(file, `${id}\n`);
  return `${hostname()}_${id}`;
}
