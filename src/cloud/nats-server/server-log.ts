// The log of the managed nats-server, read as it grows. The server begins a new file when one is full and keeps the old ones for
// ever: whoever is refused often enough would fill the disk, so that only the newest of them stay.
import { open, readdir, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf } from '../../kit/errors.ts';

/** Read at once. What comes faster than this is skipped, and the disk's work is not made the processor's. */
const CHUNK = 1024 * 1024;
const FULL_FILES_KEPT = 2;

export class ServerLog {
  readonly #file: string;
  #handle: FileHandle | undefined;
  #at = 0;
  /** The beginning of a line whose end is not written yet. */
  #rest = '';

  constructor(file: string) {
    this.#file = file;
  }

  /** From here on; what is in the file by now was another time's. */
  async begin(): Promise<void> {
    this.#handle = await openIfThere(this.#file);
    this.#at = (await this.#handle?.stat())?.size ?? 0;
  }

  /** What was written since the last call. */
  async lines(): Promise<readonly string[]> {
    this.#handle ??= await openIfThere(this.#file);
    const isFull = await this.#isFull();
    const fresh = await this.#read();
    if (isFull) await this.#turnOver();
    return fresh;
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
  }

  async #read(): Promise<readonly string[]> {
    const handle = this.#handle;
    if (handle === undefined) return [];
    const { size } = await handle.stat();
    if (size - this.#at > CHUNK) [this.#at, this.#rest] = [size - CHUNK, ''];
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(size - this.#at), 0, size - this.#at, this.#at);
    this.#at += bytesRead;
    const lines = (this.#rest + buffer.toString('utf8', 0, bytesRead)).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines;
  }

  /** Whether the server writes to another file by now. */
  async #isFull(): Promise<boolean> {
    if (this.#handle === undefined) return false;
    await using newest = await openIfThere(this.#file);
    return newest !== undefined && (await newest.stat()).ino !== (await this.#handle.stat()).ino;
  }

  async #turnOver(): Promise<void> {
    await this.close();
    [this.#at, this.#rest] = [0, ''];
    const folder = dirname(this.#file);
    const full = (await readdir(folder)).filter((name) => name.startsWith(`${basename(this.#file)}.`)).sort();
    for (const name of full.slice(0, -FULL_FILES_KEPT)) await rm(join(folder, name), { force: true });
  }
}

async function openIfThere(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, 'r');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
