// Waits for something to become nothing, for as long as it gets less.
import { sleep } from '../../kit/sleep.ts';
import type { Duration } from '../../kit/units.ts';
import { ms } from '../../kit/units.ts';

export interface Waiting {
  /** 0: it is over. */
  readonly left: number;
  /** What is left, in words. */
  readonly text: string;
}

const LOOK_EVERY = ms(200);

/**
 * Resolves with `undefined` when nothing is left, or when the signal aborts; with what is left after it was not less than ever
 * before for as long as `patience`.
 */
export async function settle(
  look: () => Promise<Waiting>,
  tools: { readonly patience: Duration; readonly onLook: (waiting: Waiting) => void },
  signal: AbortSignal,
): Promise<string | undefined> {
  let least = Number.POSITIVE_INFINITY;
  let since = performance.now();
  while (!signal.aborted) {
    const waiting = await look();
    if (waiting.left === 0) return undefined;
    tools.onLook(waiting);
    if (waiting.left < least) {
      least = waiting.left;
      since = performance.now();
    } else if (performance.now() - since > tools.patience) return waiting.text;
    await sleep(LOOK_EVERY, signal);
  }
  return undefined;
}
