// Stamps on a machine whose wall clock may stand in 1970 until the network sets it. As long as the time is not known, a stamp says
// how long this program has run, in all of its lives; once it is known, that says when it was (ADR 0038). Pure, but for the clock.
import type { Clock } from './clock.ts';
import { isTimeKnown } from './known-time.ts';

/** Tells when a stamp was made. */
export type TimeOf = (stamp: number) => number;

export class StampClock implements Clock {
  readonly #clock: Clock;
  #ranBefore = 0;
  #startedAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAt = clock.monotonic();
  }

  /** What the program had run in its earlier lives, milliseconds. Before the first stamp. */
  goOnFrom(ranBefore: number): void {
    this.#ranBefore = ranBefore;
    this.#startedAt = this.#clock.monotonic();
  }

  get isTimeKnown(): boolean {
    return isTimeKnown(this.#clock.now());
  }

  /** What the wall clock shows, right or wrong. */
  wall(): number {
    return this.#clock.now();
  }

  /** Milliseconds since the epoch; or, less than any known time, a stamp for `timeOf`. */
  now(): number {
    const wall = this.#clock.now();
    return isTimeKnown(wall) ? wall : Math.max(1, this.#ran());
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  /**
   * When the stamp was made, milliseconds since the epoch; the stamp itself as long as that is not known. What was stamped in an
   * earlier life may have been earlier than this tells: nobody measured how long the machine was off.
   */
  readonly timeOf: TimeOf = (stamp) => {
    if (stamp <= 0 || isTimeKnown(stamp)) return stamp;
    const wall = this.#clock.now();
    return isTimeKnown(wall) ? wall - Math.max(0, this.#ran() - stamp) : stamp;
  };

  #ran(): number {
    return Math.floor(this.#ranBefore + this.#clock.monotonic() - this.#startedAt);
  }
}
