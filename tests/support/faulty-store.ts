// A store in memory whose disk can refuse and whose power can be cut, at the port where the edge's LevelDB stands.
import { storeErrors } from '../../src/edge/store/errors.ts';
import { GroupCommit } from '../../src/edge/store/group-commit.ts';
import { keyIn, rangeOf, type Named, type Table } from '../../src/edge/store/store-layout.ts';
import type { Store } from '../../src/edge/store/store.ts';
import type { Operation, Transaction } from '../../src/edge/store/transaction.ts';

/** What becomes of a write: the power may fail before it is on disk, or when it is and nobody has heard of it. */
export type WriteFate = 'kept' | 'refused' | 'cut before' | 'cut after';

/** Who asks a store without power never hears of it again. */
const NEVER = new Promise<never>(() => undefined);

export class FaultyStore implements Store {
  readonly #disk: Map<string, string>;
  readonly #commits: GroupCommit;
  readonly #fates: WriteFate[] = [];
  #hasPower = true;
  #losePower: () => void = () => undefined;

  constructor(disk: ReadonlyMap<string, string> = new Map()) {
    this.#disk = new Map(disk);
    this.#commits = new GroupCommit(
      (operations) => this.#write(operations),
      (error) => {
        throw error;
      },
    );
  }

  /** Of the writes to come, in order; those after them are kept. */
  expect(...fates: readonly WriteFate[]): void {
    this.#fates.splice(0, Infinity, ...fates);
  }

  get hasPower(): boolean {
    return this.#hasPower;
  }

  /** Resolves when nothing will be heard of this store any more. */
  readonly powerless = new Promise<undefined>((resolve) => {
    this.#losePower = () => {
      this.#hasPower = false;
      resolve(undefined);
    };
  });

  /** What a start finds after the power was cut. */
  powerCut(): FaultyStore {
    this.#losePower();
    return new FaultyStore(this.#disk);
  }

  async get<V>(table: Table<V>, key: string): Promise<V | undefined> {
    await this.#turn();
    const text = this.#disk.get(keyIn(table, key));
    return text === undefined ? undefined : table.decode(text);
  }

  async *all<V>(table: Table<V>): AsyncGenerator<readonly [string, V]> {
    const { gte, lt } = rangeOf(table);
    for (const key of await this.#keys((each) => each >= gte && each < lt))
      yield [key.slice(gte.length), table.decode(this.#disk.get(key) ?? '')];
  }

  async between<V>(
    table: Table<V>,
    { after, before, limit }: { readonly after: string; readonly before: string; readonly limit: number },
  ): Promise<readonly (readonly [string, V])[]> {
    const keys = await this.#keys((each) => each > keyIn(table, after) && each < keyIn(table, before));
    const prefix = keyIn(table, '').length;
    return keys.slice(0, limit).map((key) => [key.slice(prefix), table.decode(this.#disk.get(key) ?? '')] as const);
  }

  async *keys(table: Named): AsyncGenerator<string> {
    const { gte, lt } = rangeOf(table);
    for (const key of await this.#keys((each) => each >= gte && each < lt)) yield key.slice(gte.length);
  }

  async *keysBetween(
    table: Named,
    { after, before }: { readonly after: string; readonly before: string },
  ): AsyncGenerator<string> {
    const prefix = keyIn(table, '').length;
    for (const key of await this.#keys((each) => each > keyIn(table, after) && each < keyIn(table, before)))
      yield key.slice(prefix);
  }

  /** In two halves, so that the power can fail between them. */
  async clear(table: Named, { from, through }: { readonly from: string; readonly through: string }): Promise<void> {
    const keys = await this.#keys((each) => each >= keyIn(table, from) && each <= keyIn(table, through));
    const prefix = keyIn(table, '').length;
    const half = Math.ceil(keys.length / 2);
    for (const part of [keys.slice(0, half), keys.slice(half)])
      await this.commit((tx) => {
        for (const key of part) tx.remove(table, key.slice(prefix));
      });
  }

  commit<T>(build: (tx: Transaction) => T): Promise<T> {
    return this.#hasPower ? this.#commits.commit(build) : NEVER;
  }

  async #keys(isWanted: (key: string) => boolean): Promise<readonly string[]> {
    await this.#turn();
    return [...this.#disk.keys()].filter(isWanted).sort();
  }

  async #write(operations: readonly Operation[]): Promise<void> {
    await this.#turn();
    const fate = this.#fates.shift() ?? 'kept';
    if (fate === 'refused') throw storeErrors.STORE_UNAVAILABLE({ reason: 'the test says so' });
    if (fate !== 'cut before') this.#apply(operations);
    if (fate === 'kept') return;
    this.#losePower();
    await NEVER;
  }

  #apply(operations: readonly Operation[]): void {
    for (const operation of operations) {
      if (operation.type === 'put') this.#disk.set(operation.key, operation.value);
      else this.#disk.delete(operation.key);
    }
  }

  /** A disk takes its time: others come meanwhile. */
  async #turn(): Promise<void> {
    await new Promise(setImmediate);
    if (!this.#hasPower) await NEVER;
  }
}
