// One back-off for many that want something of the same neighbour: while it is away, one of them asks at a time, seldomer and
// seldomer, instead of each by itself.
import { backoffDelay, type BackoffPlan } from './backoff.ts';
import { ms, type Duration } from './units.ts';

export class SharedBackoff {
  readonly #plan: BackoffPlan;
  readonly #most: number;
  #rounds = 0;
  #notBefore = 0;

  /** @param most how many may ask at once while the neighbour is well */
  constructor(plan: BackoffPlan, most: number) {
    this.#plan = plan;
    this.#most = most;
  }

  /** How many may ask at once, now. */
  get places(): number {
    if (this.wait > 0) return 0;
    return this.#rounds === 0 ? this.#most : 1;
  }

  /** Until somebody may ask. */
  get wait(): Duration {
    return ms(Math.max(0, this.#notBefore - performance.now()));
  }

  /** The neighbour was away. Those who asked at the same time and hear the same later make the wait no longer. */
  failed(): void {
    if (this.wait > 0) return;
    this.#notBefore = performance.now() + backoffDelay(this.#plan, this.#rounds);
    this.#rounds += 1;
  }

  succeeded(): void {
    this.#rounds = 0;
    this.#notBefore = 0;
  }
}
