import type { LogKey } from './store-keys.ts';

export interface LogLimits {
  readonly entries: number;
  readonly bytes: number;
}

/** Which part of the watch log is kept: the newest entries within a count and a size. It holds keys, never values. */
export class LogWindow {
  readonly #limits: LogLimits;
  #keys: LogKey[] = [];
  #start = 0;
  #bytes = 0;

  constructor(limits: LogLimits) {
    this.#limits = limits;
  }

  push(key: LogKey): void {
    this.#keys.push(key);
    this.#bytes += key.bytes;
  }

  /** Lets go of the oldest entries beyond the limits and says which they were. The newest one always stays. */
  trim(): readonly LogKey[] {
    const dropped: LogKey[] = [];
    for (
      let oldest = this.#keys[this.#start];
      oldest !== undefined && this.#isOver();
      oldest = this.#keys[this.#start]
    ) {
      dropped.push(oldest);
      this.#bytes -= oldest.bytes;
      this.#start += 1;
    }
    if (this.#start > this.#keys.length / 2) this.#compact();
    return dropped;
  }

  /** True when every change after `revision` is still here. */
  reaches(revision: number, newest: number): boolean {
    const oldest = this.#keys[this.#start];
    return oldest === undefined ? revision >= newest : revision >= oldest.revision - 1;
  }

  #isOver(): boolean {
    const count = this.#keys.length - this.#start;
    return count > 1 && (count > this.#limits.entries || this.#bytes > this.#limits.bytes);
  }

  #compact(): void {
    this.#keys = this.#keys.slice(this.#start);
    this.#start = 0;
  }
}
