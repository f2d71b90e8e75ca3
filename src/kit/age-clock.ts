// How much time has passed since something was first kept, on a machine whose wall clock may stand in 1970 until the network sets it.
// Time goes on by the monotonic clock while the process runs; for the time it did not, the wall clock is believed only where both ends
// of it make sense, and only once it has gone on evenly for a while: a clock that came up wrong is set by the network soon after. Pure.
import { isTimeKnown } from './known-time.ts';

/** At that wall time so much had passed since the store was made. */
export interface AgeState {
  readonly elapsed: number;
  readonly wall: number;
  /** How much of it the wall clock alone says; not in what older versions wrote. */
  readonly credited?: number;
}

/** What the process ran, in all of its lives: what the wall clock alone says is not in it. */
export const ranIn = ({ elapsed, credited = 0 }: AgeState): number => elapsed - credited;

export interface Moment {
  readonly wall: number;
  readonly monotonic: number;
}

/** How long the wall clock must have gone on evenly before it is believed. */
export const BELIEVED_AFTER = 600_000;
/** By how much two clocks may differ from one look to the next without either having been set. */
const SAME = 2_000;

export class AgeClock {
  #elapsed: number;
  #credited: number;
  /** What the wall clock must show if no time has passed that is not counted. */
  #wall: number;
  /** What it was last seen to show, and since when it has gone on evenly. */
  #seen: number;
  #evenSince: number;
  #monotonic: number;
  /** Whether it is still to be found out how long the process did not run. */
  #isResuming: boolean;

  /** @param kept the newest state that reached the disk in an earlier process, if any */
  constructor(kept: AgeState | undefined, now: Moment) {
    this.#elapsed = kept?.elapsed ?? 0;
    this.#credited = kept?.credited ?? 0;
    this.#wall = kept?.wall ?? now.wall;
    this.#seen = now.wall;
    this.#monotonic = now.monotonic;
    this.#evenSince = now.monotonic;
    this.#isResuming = kept !== undefined && isTimeKnown(kept.wall);
    this.advance(now);
  }

  /** Milliseconds; more than really passed, or less than before, only where a wall clock that was wrong went on evenly for long. */
  get elapsed(): number {
    return this.#elapsed;
  }

  get state(): AgeState {
    return { elapsed: this.#elapsed, wall: this.#wall, credited: this.#credited };
  }

  advance(now: Moment): void {
    const ran = Math.max(0, now.monotonic - this.#monotonic);
    this.#monotonic = now.monotonic;
    this.#elapsed += ran;
    this.#wall += ran;
    if (!isTimeKnown(now.wall) || Math.abs(now.wall - this.#seen - ran) > SAME) this.#evenSince = now.monotonic;
    this.#seen = now.wall;
    if (!isTimeKnown(now.wall)) return;
    const ahead = now.wall - this.#wall;
    if (this.#isResuming) {
      if (now.monotonic - this.#evenSince < BELIEVED_AFTER) return;
      this.#credit(ahead);
    } else if (ahead < -SAME) {
      this.#credit(ahead);
    }
    this.#isResuming = false;
    this.#wall = now.wall;
  }

  /** A clock that was set back had been ahead: what was credited by it is taken back, as far as it goes. */
  #credit(time: number): void {
    const credit = Math.max(-this.#credited, time);
    this.#credited += credit;
    this.#elapsed += credit;
  }
}
