// One writer, one batch in flight: whoever comes while a batch is being synced shares the next one. When nothing is in flight a
// commit starts at once, so an idle node adds no wait and a busy one pays one fsync for many (ADR 0003).
import { Transaction, type Operation } from './transaction.ts';

export type WriteBatch = (operations: readonly Operation[]) => Promise<void>;

export interface CommitStatistics {
  /** Transactions on disk. */
  readonly commits: number;
  /** Batches that they were written in, and the time that took. */
  readonly writes: number;
  readonly writingMs: number;
}

interface Waiting {
  readonly build: (tx: Transaction) => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (reason: unknown) => void;
}

/** Bounds the memory of one batch and how long its members wait for each other. */
const MOST_PER_GROUP = 1000;

export class GroupCommit {
  readonly #write: WriteBatch;
  readonly #onFault: (error: unknown) => void;
  readonly #statistics = { commits: 0, writes: 0, writingMs: 0 };
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;

  /** `onFault` hears of an announcement that threw: what is on disk stays there, and the next group is written all the same. */
  constructor(write: WriteBatch, onFault: (error: unknown) => void) {
    this.#write = write;
    this.#onFault = onFault;
  }

  /**
   * Resolves with what `build` returned, once everything it staged is on disk; rejects when a write that began before it did not
   * reach the disk. `build` must decide before it stages, and may be called again when another commit of its group failed to build.
   */
  commit<T>(build: (tx: Transaction) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ build, resolve, reject });
      // Begun a microtask later, so that the packets of one socket read share the first batch too.
      this.#running ??= Promise.resolve().then(() => this.#run());
    });
  }

  get statistics(): CommitStatistics {
    return this.#statistics;
  }

  /** Resolves when nothing is waiting or in flight any more. */
  async drained(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting.length <= MOST_PER_GROUP ? this.#waiting : this.#waiting.slice(0, MOST_PER_GROUP);
      this.#waiting = group === this.#waiting ? [] : this.#waiting.slice(MOST_PER_GROUP);
      await this.#commitGroup(group);
    }
    this.#running = undefined;
  }

  async #commitGroup(group: readonly Waiting[]): Promise<void> {
    const { tx, built, values } = this.#buildAll(group);
    try {
      const operations = tx.operations();
      if (operations.length > 0) await this.#writeCounted(operations, built.length);
    } catch (error) {
      tx.undo(this.#onFault);
      // Whoever came meanwhile is refused too: a device's later value must not be kept before the one that it has to send again.
      const refused = [...built, ...this.#waiting.splice(0)];
      for (const { reject } of refused) reject(error);
      return;
    }
    tx.announce(this.#onFault);
    built.forEach(({ resolve }, place) => resolve(values[place] as never));
  }

  async #writeCounted(operations: readonly Operation[], commits: number): Promise<void> {
    const begun = performance.now();
    await this.#write(operations);
    this.#statistics.commits += commits;
    this.#statistics.writes += 1;
    this.#statistics.writingMs += performance.now() - begun;
  }

  /** A builder that throws fails alone: what was staged so far is taken back, and the others build once more without it. */
  #buildAll(group: readonly Waiting[]): {
    readonly tx: Transaction;
    readonly built: readonly Waiting[];
    readonly values: readonly unknown[];
  } {
    for (let built = group; ;) {
      const tx = new Transaction();
      const values: unknown[] = [];
      const failed = built.find((waiting) => !tryBuild(waiting, tx, values));
      if (failed === undefined) return { tx, built, values };
      tx.undo(this.#onFault);
      built = built.filter((waiting) => waiting !== failed);
    }
  }
}

function tryBuild({ build, reject }: Waiting, tx: Transaction, values: unknown[]): boolean {
  try {
    values.push(build(tx));
    return true;
  } catch (error) {
    reject(error);
    return false;
  }
}
