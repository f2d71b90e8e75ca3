import { keyIn, type Named, type Table } from './store-layout.ts';

const REMOVED = Symbol('removed');

type Staged = typeof REMOVED | { readonly value: unknown; readonly encode: (value: never) => string };

type OnFault = (error: unknown) => void;

const raise: OnFault = (error) => {
  throw error;
};

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

  remove(table: Named, key: string): void {
    this.#staged.set(keyIn(table, key), REMOVED);
  }

  /** What this group has put under the key: its value, `removed`, or `undefined` when it has not touched it. */
  staged<V>(table: Table<V>, key: string): V | 'removed' | undefined {
    const found = this.#staged.get(keyIn(table, key));
    if (found === undefined) return undefined;
    return found === REMOVED ? 'removed' : (found.value as V);
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
    for (const [key, staged] of this.#staged) {
      if (staged === REMOVED) operations.push({ type: 'del', key });
      else operations.push({ type: 'put', key, value: staged.encode(staged.value as never) });
    }
    return operations;
  }

  announce(onFault: OnFault = raise): void {
    runAll(this.#afterCommit, onFault);
  }

  undo(onFault: OnFault = raise): void {
    runAll(this.#onFailure.reverse(), onFault);
  }
}

/** One that throws must not keep the others of its group from hearing. */
function runAll(hooks: readonly (() => void)[], onFault: OnFault): void {
  for (const hook of hooks) {
    try {
      hook();
    } catch (error) {
      onFault(error);
    }
  }
}
