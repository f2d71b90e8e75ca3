// The folder in which a store is mended: a copy of the database, which takes the store's place only when it is complete. Stopped at
// any moment, the next start finds the old store or the mended one.
import { access, cp, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { storeErrors } from './errors.ts';
import { hasMarker, syncFolder, writeMarker } from './store-marker.ts';
import { isLocked } from './synced-level.ts';

export class RepairFolder {
  readonly #dataDir: string;
  /** A data directory of its own: an EdgeStore opens what is mended in it. */
  readonly path: string;
  /** Whether the data directory is known to have held a store. */
  readonly isMarked: boolean;

  private constructor(dataDir: string, isMarked: boolean) {
    this.#dataDir = dataDir;
    this.path = join(dataDir, 'repair');
    this.isMarked = isMarked;
  }

  /** With a copy of the store as it is. Rejects with STORE_NOT_FOUND where no node has run, STORE_LOCKED while one runs. */
  static async create(dataDir: string): Promise<RepairFolder> {
    const folder = new RepairFolder(dataDir, await hasMarker(dataDir));
    await folder.#finishEarlier();
    await folder.#checkStopped();
    await mkdir(folder.database, { recursive: true, mode: 0o700 });
    if (await exists(folder.#store)) await cp(folder.#store, folder.database, { recursive: true });
    return folder;
  }

  get database(): string {
    return join(this.path, 'store');
  }

  get #store(): string {
    return join(this.#dataDir, 'store');
  }

  async discard(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }

  /** Puts the mended database in the store's place; returns where the store is now, if there was one. */
  async takePlace(): Promise<string | undefined> {
    const mark = await open(join(this.path, 'complete'), 'w', 0o600);
    await mark.close();
    await syncFolder(this.path);
    await this.#checkStopped();
    const aside = `${this.#store}.damaged-${new Date().toISOString().replaceAll(':', '-')}`;
    const wasThere = await exists(this.#store);
    if (wasThere) await rename(this.#store, aside);
    await rename(this.database, this.#store);
    await writeMarker(this.#dataDir);
    await this.discard();
    return wasThere ? aside : undefined;
  }

  /** An earlier repair was stopped between its last two steps: the mended store is complete, and not in its place yet. */
  async #finishEarlier(): Promise<void> {
    const isComplete = await exists(join(this.path, 'complete'));
    if (isComplete && !(await exists(this.#store))) await rename(this.database, this.#store);
    await this.discard();
  }

  async #checkStopped(): Promise<void> {
    const isThere = await exists(this.#store);
    if (!isThere && !this.isMarked) throw storeErrors.STORE_NOT_FOUND({ dataDir: this.#dataDir });
    if (isThere && (await isLocked(this.#store))) throw storeErrors.STORE_LOCKED({ dataDir: this.#dataDir });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
