// A file system of its own that can be filled: a tmpfs of a few MiB. Mounting needs root, which test machines and containers have.
import { execFile } from 'node:child_process';
import { mkdtemp, open, rm, rmdir, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { codeOf } from '../../src/kit/errors.ts';

const run = promisify(execFile);

export class SmallDisk implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** At a folder of its own, or over one that is there. */
  static async mount(mebibytes: number, over?: string): Promise<SmallDisk> {
    const path = over ?? (await mkdtemp(join(tmpdir(), 'skerry-disk-')));
    await run('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=0700`, 'tmpfs', path]);
    return new SmallDisk(path);
  }

  get #filler(): string {
    return join(this.path, 'filler');
  }

  /** Leaves so many bytes free, rounded to pages. */
  async fill(leave = 0): Promise<void> {
    const file = await open(this.#filler, 'a');
    try {
      const { bavail, bsize } = await statfs(this.path);
      const bytes = Math.max(0, bavail * bsize - leave);
      await file.appendFile(Buffer.alloc(bytes, 1)).catch((error: unknown) => {
        // Somebody else took the rest meanwhile: full is full.
        if (codeOf(error) !== 'ENOSPC') throw error;
      });
    } finally {
      await file.close();
    }
  }

  async free(): Promise<void> {
    await rm(this.#filler, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run('umount', ['-l', this.path]);
    await rmdir(this.path).catch(() => 'what it was mounted over holds something');
  }
}
