// A store in memory behind the real group commit: what has reached its disk outlives it, and it can be cut off as by a crash.
import { GroupCommit } from '../../src/edge/store/group-commit.ts';
import { storeErrors } from '../../src/edge/store/errors.ts';
import { keyIn, type Named, type Table } from '../../src/edge/store/store-layout.ts';
import type { Store } from '../../src/edge/store/store.ts';
import type { Operation, Transaction } from '../../src/edge/store/transaction.ts';

type Pause = () => Promise<void>;

export class MemoryStore implements Store {
  readonly disk: Map<string, string>;
  /** What threw when it was told of a commit. */
  readonly faults: unknown[] = [];
  readonly #pause: Pause;
  readonly #commits: GroupCommit;
  #isCut = false;

  /** @param pause what every reading and writing takes */
  constructor(disk: Map<string, string>, pause: Pause) {
    this.disk = disk;
    this.#pause = pause;
    this.#commits = new GroupCommit(
      (operations) => this.#write(operations),
      (error) => this.faults.push(error),
    );
  }

  /** From now on nothing reaches the disk. */
  cut(): void {
    this.#isCut = true;
  }

  async get<V>(table: Table<V>, key: string): Promise<V | undefined> {
    await this.#pause();
    const text = this.disk.get(keyIn(table, key));
    return text === undefined ? undefined : table.decode(text);
  }

  async *all<V>(table: Table<V>): AsyncGenerator<readonly [string, V]> {
    for (const [key, text] of this.#range(table, '', '\uffff')) {
      await this.#pause();
      yield [key, table.decode(text)];
    }
  }

  async between<V>(
    table: Table<V>,
    { after, before, limit }: { readonly after: string; readonly before: string; readonly limit: number },
  ): Promise<readonly (readonly [string, V])[]> {
    const found = this.#range(table, after, before).slice(0, limit);
    await this.#pause();
    return found.map(([key, text]) => [key, table.decode(text)] as const);
  }

  keys(table: Named): AsyncIterable<string> {
    return this.keysBetween(table, { after: '', before: '\uffff' });
  }

  async *keysBetween(table: Named, { after, before }: { readonly after: string; readonly before: string }) {
    const found = this.#range(table, after, before);
    await this.#pause();
    for (const [key] of found) yield key;
  }

  async clear(table: Named, { from, through }: { readonly from: string; readonly through: string }): Promise<void> {
    await this.#pause();
    this.#refuseWhenCut();
    for (const key of this.disk.keys())
      if (key >= keyIn(table, from) && key <= keyIn(table, through)) this.disk.delete(key);
  }

  commit<T>(build: (tx: Transaction) => T): Promise<T> {
    return this.#commits.commit(build);
  }

  async #write(operations: readonly Operation[]): Promise<void> {
    await this.#pause();
    this.#refuseWhenCut();
    for (const operation of operations) {
      if (operation.type === 'put') this.disk.set(operation.key, operation.value);
      else this.disk.delete(operation.key);
    }
    await this.#pause();
  }

  #refuseWhenCut(): void {
    if (this.#isCut) throw storeErrors.STORE_UNAVAILABLE({ reason: 'it was cut off' });
  }

  #range(table: Named, after: string, before: string): (readonly [string, string])[] {
    const prefix = keyIn(table, '');
    return [...this.disk]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, text]) => [key.slice(prefix.length), text] as const)
      .filter(([key]) => key > after && key < before)
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }
}
