import { keyIn, type Table } from './store-layout.ts';

const REMOVED = Symbol('removed');

interface Staged {
  readonly value: unknown;
  readonly encode: (value: never) => string;
}

export type Operation =
  | { readonly type: 'put'; readonly key: string; readonly value: string }
  | { readonly type: 'del'; readonly key: string };

/**
 * One group of changes that reach the disk together or not at all. Several builders write into it one after the other, and each
 * sees what the ones before it staged. Values are encoded once, when the group is written, however often they were replaced.
 */
export class Transaction {
  readonly #staged = new Map<string, Staged>();
  readonly #afterCommit: (() => void)[] = [];
  readonly #onFailure: (() => void)[] = [];

  put<V>(table: Table<V>, key: string, value: V): void {
    this.#staged.set(keyIn(table, key), { value, encode: table.encode });
  }

  remove<V>(table: Table<V>, key: string): void {
    this.#staged.set(keyIn(table, key), { value: REMOVED, encode: table.encode });
  }

  /** What this group has put under the key: its value, `removed`, or `undefined` when it has not touched it. */
  staged<V>(table: Table<V>, key: string): V | 'removed' | undefined {
    const found = this.#staged.get(keyIn(table, key));
    if (found === undefined) return undefined;
    return found.value === REMOVED ? 'removed' : (found.value as V);
  }

  /** Runs once the group is on disk, in the order of these calls; not at all when it failed. Must not throw. */
  afterCommit(announce: () => void): void {
    this.#afterCommit.push(announce);
  }

  /** Takes back what a builder changed in memory while it staged; runs when the group did not reach the disk, newest first. */
  onFailure(undo: () => void): void {
    this.#onFailure.push(undo);
  }

  operations(): Operation[] {
    const operations: Operation[] = [];
    for (const [key, { value, encode }] of this.#staged) {
      if (value === REMOVED) operations.push({ type: 'del', key });
      else operations.push({ type: 'put', key, value: encode(value as never) });
    }
    return operations;
  }

  announce(): void {
    for (const announce of this.#afterCommit) announce();
  }

  undo(): void {
    for (const undo of this.#onFailure.reverse()) undo();
  }
}
