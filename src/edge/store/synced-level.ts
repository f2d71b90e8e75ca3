// LevelDB as the store needs it: every batch synced, and opened anew after a refused one, because LevelDB refuses everything after a
// sync that failed. A batch whose sync failed is in the log all the same and comes back when that is read: what it touched is
// restored first, so that "refused" means "not there".
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { codeOf } from '../../kit/errors.ts';
import type { Operation } from './transaction.ts';

/** Small on purpose: the memory of a gateway is the users', and the hot twins are held decoded. */
const CACHES = { writeBufferSize: 2 * 1024 * 1024, cacheSize: 2 * 1024 * 1024, maxOpenFiles: 100 };

/** What LevelDB writes when it opens: both of its logs as tables, and a manifest. */
const SPACE_TO_OPEN = 2 * CACHES.writeBufferSize + 256 * 1024;

export class SyncedLevel {
  readonly #folder: string;
  readonly #level: ClassicLevel;
  /** Restores what a refused batch may have changed on disk; present from a refusal until it is written. */
  #restoring: Promise<readonly Operation[]> | undefined;
  #reopening: Promise<void> | undefined;
  #readers = 0;
  #onIdle: () => void = () => undefined;

  private constructor(folder: string, level: ClassicLevel) {
    this.#folder = folder;
    this.#level = level;
  }

  static async open(folder: string, options: { readonly createIfMissing: boolean }): Promise<SyncedLevel> {
    const level = new ClassicLevel(folder, { ...CACHES, ...options });
    await level.open();
    return new SyncedLevel(folder, level);
  }

  async close(): Promise<void> {
    await this.#reopening?.catch(() => undefined);
    await this.#level.close();
  }

  /** Runs one short read; while the database is being opened anew, it waits. What it opens must be closed when it resolves. */
  async read<T>(task: (level: ClassicLevel) => Promise<T>): Promise<T> {
    while (this.#reopening !== undefined) await this.#reopening.catch(() => undefined);
    this.#readers += 1;
    try {
      return await task(this.#level);
    } finally {
      this.#readers -= 1;
      if (this.#readers === 0) this.#onIdle();
    }
  }

  /** On disk when it resolves; not there, also after any later start of this object, when it rejects. One at a time. */
  async write(operations: readonly Operation[]): Promise<void> {
    if (this.#restoring !== undefined) await this.#recover(this.#restoring);
    try {
      await writeSynced(this.#level, operations);
    } catch (error) {
      this.#restoring = this.#valuesBefore(operations);
      // Where even reading fails, each later write says so, until the process is started anew.
      this.#restoring.catch(() => undefined);
      throw error;
    }
  }

  /** Reads go on until the disk takes a file as large as those that opening writes. */
  async #recover(restoring: Promise<readonly Operation[]>): Promise<void> {
    const operations = await restoring;
    await this.#tryDisk();
    this.#reopening = this.#reopen(operations);
    try {
      await this.#reopening;
    } finally {
      this.#reopening = undefined;
    }
    this.#restoring = undefined;
  }

  async #reopen(restore: readonly Operation[]): Promise<void> {
    if (this.#readers > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    await this.#level.close();
    await this.#level.open({ createIfMissing: false });
    await writeSynced(this.#level, restore);
  }

  /** A refused batch is not in what LevelDB shows, so that the values before it can still be read. */
  async #valuesBefore(operations: readonly Operation[]): Promise<readonly Operation[]> {
    const keys = operations.map(({ key }) => key);
    const values = await this.#level.getMany(keys);
    return keys.map((key, place) => {
      const value = values[place];
      return value === undefined ? { type: 'del', key } : { type: 'put', key, value };
    });
  }

  async #tryDisk(): Promise<void> {
    const path = join(this.#folder, 'space.tmp');
    try {
      const file = await open(path, 'w', 0o600);
      try {
        await file.writeFile(Buffer.alloc(SPACE_TO_OPEN));
        await file.datasync();
      } finally {
        await file.close();
      }
    } finally {
      await rm(path, { force: true });
    }
  }
}

/** A chained batch hands each operation to LevelDB as it is: three times the rate of an array of them (bench/README.md). */
async function writeSynced(level: ClassicLevel, operations: readonly Operation[]): Promise<void> {
  const batch = level.batch();
  for (const operation of operations) {
    if (operation.type === 'put') batch.put(operation.key, operation.value);
    else batch.del(operation.key);
  }
  await batch.write({ sync: true });
}

/** Whether another process has the database open. Changes nothing: LevelDB takes its lock before it looks at anything else. */
export async function isLocked(folder: string): Promise<boolean> {
  const level = new ClassicLevel(folder);
  try {
    await level.open({ createIfMissing: false, errorIfExists: true });
    await level.close();
    return false;
  } catch (error) {
    return codeOf(error instanceof Error ? error.cause : undefined) === 'LEVEL_LOCKED';
  }
}
