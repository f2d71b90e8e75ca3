// What the parts of an edge node ask of the store. The disk stands behind it in the node, and in tests one whose power can be cut.
import type { Named, Table } from './store-layout.ts';
import type { Transaction } from './transaction.ts';

export interface Store {
  /** The value on disk; `undefined` where there is none. */
  get<V>(table: Table<V>, key: string): Promise<V | undefined>;

  /** Every entry of a table in key order; keys without the table's name. */
  all<V>(table: Table<V>): AsyncIterable<readonly [string, V]>;

  /** Up to `limit` entries of a table after a key and before another, oldest first. */
  between<V>(
    table: Table<V>,
    bounds: { readonly after: string; readonly before: string; readonly limit: number },
  ): Promise<readonly (readonly [string, V])[]>;

  /** Keys of a table in order, without decoding any value. */
  keys(table: Named): AsyncIterable<string>;

  keysBetween(table: Named, bounds: { readonly after: string; readonly before: string }): AsyncIterable<string>;

  /** Removes a range, page by page: after a power cut a part of it may still be there. */
  clear(table: Named, bounds: { readonly from: string; readonly through: string }): Promise<void>;

  /**
   * All or nothing, on disk when it resolves with what `build` returned. Concurrent calls may share one fsync; they are built and
   * announced in the order of the calls. Rejects with STORE_UNAVAILABLE when the disk refuses: nothing changed then.
   */
  commit<T>(build: (tx: Transaction) => T): Promise<T>;
}
