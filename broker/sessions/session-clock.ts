// What time it is for sessions whose clients are away: goes on over restarts, and does not believe a wall clock that was just set.
import { AgeClock, BELIEVED_AFTER, type AgeState } from '../../src/kit/age-clock.ts';
import type { Clock } from '../../src/kit/clock.ts';
import { CLOCK_KEY } from './session-records.ts';
import type { WriteBehind } from './write-behind.ts';

/** How much of the time may be forgotten when the process is killed and the wall clock is wrong. */
const KEPT_EVERY = 600_000;

export class SessionClock {
  readonly #clock: Clock;
  readonly #writes: WriteBehind;
  readonly #begun: number;
  #age: AgeClock;
  #keptAt = Number.NEGATIVE_INFINITY;

  constructor(tools: { readonly clock: Clock; readonly writes: WriteBehind }) {
    this.#clock = tools.clock;
    this.#writes = tools.writes;
    this.#begun = tools.clock.monotonic();
    this.#age = new AgeClock(undefined, this.#now());
  }

  restore(state: AgeState | undefined): void {
    this.#age = new AgeClock(state, this.#now());
  }

  elapsed(): number {
    this.#age.advance(this.#now());
    return this.#age.elapsed;
  }

  /** Whether clients have had the time to come back since the process began. */
  hasRunFor(time: number): boolean {
    return this.#clock.monotonic() - this.#begun >= Math.min(time, BELIEVED_AFTER);
  }

  /** Puts the time into storage, unless it was lately. */
  keep(): void {
    const elapsed = this.elapsed();
    if (elapsed - this.#keptAt < KEPT_EVERY) return;
    this.#keptAt = elapsed;
    this.#writes.put(CLOCK_KEY, () => JSON.stringify(this.#age.state));
  }

  #now() {
    return { wall: this.#clock.now(), monotonic: this.#clock.monotonic() };
  }
}
