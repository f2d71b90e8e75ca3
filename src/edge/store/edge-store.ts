// The one LevelDB of an edge node: twins, outbox, desired objects and counters, so that what belongs together is one batch.
// Every commit is synced: `sync` is off by default in LevelDB, and G1 (acknowledged means kept) rests on it.
import { join } from 'node:path';
import { mkdir } from 'node:fs/promises';
import type { Deadline } from '../../kit/deadline.ts';
import { codeOf, messageOf, SkerryError } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { storeErrors } from './errors.ts';
import { GroupCommit, type CommitStatistics } from './group-commit.ts';
import type { Store } from './store.ts';
import { jsonTable, keyIn, rangeOf, STORE_FORMAT, type Named, type Table } from './store-layout.ts';
import { inspectStore } from './store-files.ts';
import { hasMarker, writeMarker } from './store-marker.ts';
import { isLocked, SyncedLevel } from './synced-level.ts';
import type { Operation, Transaction } from './transaction.ts';

export interface EdgeStoreConfig {
  readonly dataDir: string;
}

const FORMAT = jsonTable<{ readonly version: number }>('format');

/** Left by a repair for each later start to tell: what is missing stays missing. */
export const REPAIR = jsonTable<{ readonly at: string }>('repair');

/** Entries read at once: LevelDB may be opened anew between two reads, never within one. */
const PAGE = 500;

interface Range {
  readonly gt?: string;
  readonly gte?: string;
  readonly lt?: string;
  readonly lte?: string;
}

export class EdgeStore implements Service, Store {
  readonly name = 'store';
  readonly #config: EdgeStoreConfig;
  readonly #logger: Logger;
  readonly #commits: GroupCommit;
  #level: SyncedLevel | undefined;
  #failure: string | undefined;
  #damage: string | undefined;

  constructor(config: EdgeStoreConfig, tools: { readonly logger: Logger }) {
    this.#config = config;
    this.#logger = tools.logger;
    this.#commits = new GroupCommit(
      (operations) => this.#write(operations),
      (error) => tools.logger.error({ reason: messageOf(error) }, 'what is stored could not be announced'),
    );
  }

  async start(_signal: AbortSignal): Promise<void> {
    const { dataDir } = this.#config;
    try {
      const isMarked = await hasMarker(dataDir);
      this.#level = await openSound(dataDir, { isMarked });
      await this.#checkFormat(isMarked);
      if (!isMarked) await writeMarker(dataDir);
      await this.#tellOfRepair();
    } catch (error) {
      await this.#close();
      throw translateOpen(error, dataDir);
    }
  }

  async stop(deadline: Deadline): Promise<void> {
    if (this.#level === undefined) return;
    await deadline.wait(this.#commits.drained(), undefined);
    await this.#close();
  }

  health(): Health {
    const reason = this.#damage ?? this.#failure;
    return reason === undefined ? HEALTHY : { state: 'failing', reason };
  }

  get statistics(): CommitStatistics {
    return this.#commits.statistics;
  }

  async get<V>(table: Table<V>, key: string): Promise<V | undefined> {
    const text = await this.#read((level) => level.get(keyIn(table, key)));
    return text === undefined ? undefined : this.#decode(table, key, text);
  }

  async *all<V>(table: Table<V>): AsyncGenerator<readonly [string, V]> {
    const prefix = keyIn(table, '').length;
    const page = (range: Range) => this.#read((level) => level.iterator({ ...range, limit: PAGE }).all());
    for await (const [key, text] of paged(page, ([key]) => key, rangeOf(table))) {
      const name = key.slice(prefix);
      yield [name, this.#decode(table, name, text)];
    }
  }

  async between<V>(
    table: Table<V>,
    bounds: { readonly after: string; readonly before: string; readonly limit: number },
  ): Promise<readonly (readonly [string, V])[]> {
    const range = { gt: keyIn(table, bounds.after), lt: keyIn(table, bounds.before), limit: bounds.limit };
    const prefix = keyIn(table, '').length;
    const found = await this.#read((level) => level.iterator(range).all());
    return found.map(([key, text]) => [key.slice(prefix), this.#decode(table, key.slice(prefix), text)] as const);
  }

  keys(table: Named): AsyncGenerator<string> {
    return this.#keysIn(table, rangeOf(table));
  }

  keysBetween(table: Named, { after, before }: { readonly after: string; readonly before: string }) {
    return this.#keysIn(table, { gt: keyIn(table, after), lt: keyIn(table, before) });
  }

  async clear(table: Named, bounds: { readonly from: string; readonly through: string }): Promise<void> {
    const range = { gte: keyIn(table, bounds.from), lte: keyIn(table, bounds.through) };
    let found: string[] = [];
    for await (const key of this.#keysIn(table, range)) {
      if (found.push(key) < PAGE) continue;
      await this.#removeAll(table, found);
      found = [];
    }
    await this.#removeAll(table, found);
  }

  commit<T>(build: (tx: Transaction) => T): Promise<T> {
    return this.#commits.commit(build);
  }

  #removeAll(table: Named, keys: readonly string[]): Promise<void> {
    return this.commit((tx) => {
      for (const key of keys) tx.remove(table, key);
    });
  }

  async *#keysIn(table: Named, range: Range): AsyncGenerator<string> {
    const prefix = keyIn(table, '').length;
    const page = (rest: Range) => this.#read((level) => level.keys({ ...rest, limit: PAGE }).all());
    for await (const key of paged(page, (each) => each, range)) yield key.slice(prefix);
  }

  #open(): SyncedLevel {
    if (this.#level === undefined) throw storeErrors.STORE_UNAVAILABLE({ reason: 'it is closed' });
    return this.#level;
  }

  async #read<T>(task: Parameters<typeof SyncedLevel.prototype.read<T>>[0]): Promise<T> {
    try {
      return await this.#open().read(task);
    } catch (error) {
      throw this.#translate(error);
    }
  }

  async #write(operations: readonly Operation[]): Promise<void> {
    const level = this.#open();
    try {
      await level.write(operations);
    } catch (error) {
      const reason = messageOf(error);
      if (this.#failure === undefined) this.#logger.error({ reason }, 'the store refuses writes');
      this.#failure = reason;
      throw storeErrors.STORE_UNAVAILABLE({ reason }, error);
    }
    if (this.#failure === undefined) return;
    this.#failure = undefined;
    this.#logger.info({}, 'the store takes writes again');
  }

  async #close(): Promise<void> {
    const level = this.#level;
    this.#level = undefined;
    await level?.close();
  }

  async #checkFormat(isMarked: boolean): Promise<void> {
    const { dataDir } = this.#config;
    const found = await this.get(FORMAT, '');
    if (found === undefined && isMarked) throw storeErrors.STORE_MISSING({ dataDir, reason: 'nothing is left in it' });
    // What an older version wrote is read as it is, and written anew by whoever owns it: from now on that version cannot.
    if (found === undefined || found.version < STORE_FORMAT) {
      await this.commit((tx) => {
        tx.put(FORMAT, '', { version: STORE_FORMAT });
      });
    } else if (found.version > STORE_FORMAT) {
      throw storeErrors.STORE_FORMAT_UNKNOWN({ dataDir, found: found.version, known: STORE_FORMAT });
    }
  }

  async #tellOfRepair(): Promise<void> {
    const repair = await this.get(REPAIR, '');
    if (repair === undefined) return;
    this.#logger.warn({ ...repair }, 'the store was repaired: what was acknowledged before may be missing');
  }

  #decode<V>(table: Table<V>, key: string, text: string): V {
    try {
      return table.decode(text);
    } catch (error) {
      throw this.#damaged(`the value of ${JSON.stringify(key)} in its table "${table.name}" cannot be read`, error);
    }
  }

  /** What LevelDB says of a read or of its own files. */
  #translate(error: unknown): unknown {
    if (error instanceof SkerryError) return error;
    if (codeOf(error) === 'LEVEL_CORRUPTION') return this.#damaged(messageOf(error), error);
    return storeErrors.STORE_UNAVAILABLE({ reason: messageOf(error) }, error);
  }

  #damaged(reason: string, cause: unknown): SkerryError {
    const damage = storeErrors.STORE_DAMAGED({ dataDir: this.#config.dataDir, reason }, cause);
    this.#damage ??= damage.message;
    return damage;
  }
}

/** Begins a database only where there never was one. */
async function openSound(dataDir: string, { isMarked }: { readonly isMarked: boolean }): Promise<SyncedLevel> {
  const folder = join(dataDir, 'store');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const inspection = await inspectStore(folder);
  if (inspection.kind !== 'sound' && (await isLocked(folder))) throw storeErrors.STORE_LOCKED({ dataDir });
  if (inspection.kind === 'damaged') throw storeErrors.STORE_DAMAGED({ dataDir, reason: inspection.reason });
  if (inspection.kind === 'none' && isMarked)
    throw storeErrors.STORE_MISSING({ dataDir, reason: `${folder} is empty now` });
  return SyncedLevel.open(folder, { createIfMissing: inspection.kind === 'none' });
}

/** Page after page, each beginning behind the last key of the one before. */
async function* paged<E>(
  read: (range: Range) => Promise<readonly E[]>,
  keyOf: (entry: E) => string,
  range: Range,
): AsyncGenerator<E> {
  for (let rest = range; ;) {
    const page = await read(rest);
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    rest = { ...range, gte: `${keyOf(last)}\0` };
  }
}

function translateOpen(error: unknown, dataDir: string): Error {
  if (error instanceof SkerryError) return error;
  const cause = error instanceof Error ? error.cause : undefined;
  if (codeOf(cause) === 'LEVEL_LOCKED') return storeErrors.STORE_LOCKED({ dataDir }, error);
  if (codeOf(cause) === 'LEVEL_CORRUPTION')
    return storeErrors.STORE_DAMAGED({ dataDir, reason: messageOf(cause) }, error);
  return storeErrors.STORE_UNREADABLE({ dataDir, reason: messageOf(error) }, error);
}
