// The one LevelDB of an edge node: twins, outbox, desired objects and counters, so that what belongs together is one batch.
// Every commit is synced: `sync` is off by default in LevelDB, and G1 (acknowledged means kept) rests on it.
import { join } from 'node:path';
import { mkdir } from 'node:fs/promises';
import { ClassicLevel } from 'classic-level';
import type { Deadline } from '../../kit/deadline.ts';
import { codeOf, messageOf } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { storeErrors } from './errors.ts';
import { GroupCommit } from './group-commit.ts';
import type { Store } from './store.ts';
import { jsonTable, keyIn, rangeOf, STORE_FORMAT, type Named, type Table } from './store-layout.ts';
import type { Operation, Transaction } from './transaction.ts';

export interface EdgeStoreConfig {
  readonly dataDir: string;
}

const FORMAT = jsonTable<{ readonly version: number }>('format');

/** Small on purpose: the memory of a gateway is the users', and the hot twins are held decoded. */
const CACHES = { writeBufferSize: 2 * 1024 * 1024, cacheSize: 2 * 1024 * 1024, maxOpenFiles: 100 };

export class EdgeStore implements Service, Store {
  readonly name = 'store';
  readonly #config: EdgeStoreConfig;
  readonly #logger: Logger;
  readonly #commits = new GroupCommit((operations) => this.#write(operations));
  #level: ClassicLevel | undefined;
  #failure: string | undefined;

  constructor(config: EdgeStoreConfig, tools: { readonly logger: Logger }) {
    this.#config = config;
    this.#logger = tools.logger;
  }

  async start(_signal: AbortSignal): Promise<void> {
    const { dataDir } = this.#config;
    try {
      await mkdir(join(dataDir, 'store'), { recursive: true, mode: 0o700 });
      this.#level = new ClassicLevel(join(dataDir, 'store'), CACHES);
      await this.#level.open();
    } catch (error) {
      throw translateOpen(error, dataDir);
    }
    await this.#checkFormat();
  }

  async stop(deadline: Deadline): Promise<void> {
    const level = this.#level;
    if (level === undefined) return;
    await deadline.wait(this.#commits.drained(), undefined);
    this.#level = undefined;
    await level.close();
  }

  health(): Health {
    return this.#failure === undefined ? HEALTHY : { state: 'failing', reason: this.#failure };
  }

  async get<V>(table: Table<V>, key: string): Promise<V | undefined> {
    const text = await this.#open().get(keyIn(table, key));
    return text === undefined ? undefined : table.decode(text);
  }

  async *all<V>(table: Table<V>): AsyncGenerator<readonly [string, V]> {
    const prefix = keyIn(table, '').length;
    for await (const [key, text] of this.#open().iterator(rangeOf(table))) {
      yield [key.slice(prefix), table.decode(text)];
    }
  }

  async between<V>(
    table: Table<V>,
    bounds: { readonly after: string; readonly before: string; readonly limit: number },
  ): Promise<readonly (readonly [string, V])[]> {
    const named = (key: string): string => keyIn(table, key);
    const iterator = this.#open().iterator({ gt: named(bounds.after), lt: named(bounds.before), limit: bounds.limit });
    const prefix = named('').length;
    const found = await iterator.all();
    return found.map(([key, text]) => [key.slice(prefix), table.decode(text)] as const);
  }

  async *keys(table: Named): AsyncGenerator<string> {
    const prefix = keyIn(table, '').length;
    for await (const key of this.#open().keys(rangeOf(table))) yield key.slice(prefix);
  }

  async *keysBetween(
    table: Named,
    bounds: { readonly after: string; readonly before: string },
  ): AsyncGenerator<string> {
    const prefix = keyIn(table, '').length;
    const range = { gt: keyIn(table, bounds.after), lt: keyIn(table, bounds.before) };
    for await (const key of this.#open().keys(range)) yield key.slice(prefix);
  }

  async clear(table: Named, bounds: { readonly from: string; readonly through: string }): Promise<void> {
    const level = this.#open();
    try {
      await level.clear({ gte: keyIn(table, bounds.from), lte: keyIn(table, bounds.through) });
    } catch (error) {
      throw storeErrors.STORE_UNAVAILABLE({ reason: messageOf(error) }, error);
    }
  }

  commit<T>(build: (tx: Transaction) => T): Promise<T> {
    return this.#commits.commit(build);
  }

  #open(): ClassicLevel {
    if (this.#level === undefined) throw storeErrors.STORE_UNAVAILABLE({ reason: 'it is closed' });
    return this.#level;
  }

  async #write(operations: readonly Operation[]): Promise<void> {
    const level = this.#open();
    try {
      if (this.#failure !== undefined) await this.#reopen(level);
      await writeSynced(level, operations);
    } catch (error) {
      const reason = messageOf(error);
      if (this.#failure === undefined) this.#logger.error({ reason }, 'the store refuses writes');
      this.#failure = reason;
      throw storeErrors.STORE_UNAVAILABLE({ reason }, error);
    }
  }

  /** LevelDB refuses every write after a failed one until it is opened anew. */
  async #reopen(level: ClassicLevel): Promise<void> {
    await level.close();
    await level.open();
    this.#failure = undefined;
    this.#logger.info({}, 'the store takes writes again');
  }

  async #checkFormat(): Promise<void> {
    const found = await this.get(FORMAT, '');
    if (found === undefined) {
      await this.commit((tx) => {
        tx.put(FORMAT, '', { version: STORE_FORMAT });
      });
    } else if (found.version > STORE_FORMAT) {
      await this.#open().close();
      throw storeErrors.STORE_FORMAT_UNKNOWN({
        dataDir: this.#config.dataDir,
        found: found.version,
        known: STORE_FORMAT,
      });
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

function translateOpen(error: unknown, dataDir: string): Error {
  const cause = error instanceof Error ? error.cause : undefined;
  if (codeOf(cause) === 'LEVEL_LOCKED') return storeErrors.STORE_LOCKED({ dataDir }, error);
  return storeErrors.STORE_UNREADABLE({ dataDir, reason: messageOf(error) }, error);
}
