// How old entries are, on a machine whose wall clock may stand in 1970 until the network sets it. Time goes on by the monotonic clock
// while the process runs; for the time it did not, the wall clock is believed only where both ends of it make sense. Pure.

/** At that wall time so much had passed since the store was made. */
export interface AgeState {
  readonly elapsed: number;
  readonly wall: number;
}

export interface Moment {
  readonly wall: number;
  readonly monotonic: number;
}

/** No wall clock that shows less has been set. */
const SANE_FROM = Date.UTC(2024, 0, 1);

const isSane = (wall: number): boolean => wall >= SANE_FROM;

export class AgeClock {
  #elapsed: number;
  #wall: number;
  #monotonic: number;
  /** Whether it is still to be found out how long the process did not run. */
  #isResuming: boolean;

  /** @param kept the newest state that reached the disk in an earlier process, if any */
  constructor(kept: AgeState | undefined, now: Moment) {
    this.#elapsed = kept?.elapsed ?? 0;
    this.#wall = kept?.wall ?? now.wall;
    this.#monotonic = now.monotonic;
    this.#isResuming = kept !== undefined && isSane(kept.wall);
    this.advance(now);
  }

  /** Milliseconds; never less than before, and never more than really passed where the wall clock was right whenever it was sane. */
  get elapsed(): number {
    return this.#elapsed;
  }

  get state(): AgeState {
    return { elapsed: this.#elapsed, wall: this.#wall };
  }

  advance(now: Moment): void {
    const ran = Math.max(0, now.monotonic - this.#monotonic);
    this.#monotonic = now.monotonic;
    this.#elapsed += ran;
    this.#wall += ran;
    if (!isSane(now.wall)) return;
    if (this.#isResuming) this.#elapsed += Math.max(0, now.wall - this.#wall);
    this.#isResuming = false;
    this.#wall = now.wall;
  }
}
