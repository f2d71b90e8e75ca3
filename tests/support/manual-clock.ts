import type { Clock } from '../../src/kit/clock.ts';

/** Time that passes when the test says so. */
export class ManualClock implements Clock {
  #now: number;
  #monotonic = 0;

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  /** Both times go on. */
  advance(milliseconds: number): void {
    this.#now += milliseconds;
    this.#monotonic += milliseconds;
  }

  /** Somebody sets the wall clock; measuring is not disturbed. */
  setTo(now: number): void {
    this.#now = now;
  }
}
