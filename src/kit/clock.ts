/** Where time comes from. Passed in, so that tests can own it (`tests/support/manual-clock.ts`). */
export interface Clock {
  /** Milliseconds since the epoch; may jump. For stamps that people read. */
  now(): number;
  /** Milliseconds from an arbitrary start; never jumps. For measuring and deadlines. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
