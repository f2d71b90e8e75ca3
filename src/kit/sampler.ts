import type { Duration } from './units.ts';

/** Lets the first few of each kind through in a time and counts the rest, so that a flood of events is no flood of log lines. */
export class Sampler<K extends string> {
  readonly #most: number;
  readonly #per: Duration;
  readonly #kinds = new Map<K, { since: number; taken: number; left: number }>();

  /** `most` of each kind in each `per`. */
  constructor(most: number, per: Duration) {
    this.#most = most;
    this.#per = per;
  }

  /** How many were left out since the last one that was let through; `undefined`: leave this one out as well. */
  take(kind: K, now: number): number | undefined {
    const found = this.#kinds.get(kind);
    if (found !== undefined && now - found.since < this.#per && found.taken >= this.#most) {
      found.left += 1;
      return undefined;
    }
    const isNew = found === undefined || now - found.since >= this.#per;
    this.#kinds.set(kind, { since: isNew ? now : found.since, taken: isNew ? 1 : found.taken + 1, left: 0 });
    return found?.left ?? 0;
  }
}
