import { setTimeout as delay } from 'node:timers/promises';
import { isAbort } from './errors.ts';
import type { Duration } from './units.ts';

/** Resolves after the duration, or at once when the signal aborts; says which. Never rejects. */
export async function sleep(duration: Duration, signal: AbortSignal): Promise<'elapsed' | 'aborted'> {
  try {
    await delay(duration, undefined, { signal });
    return 'elapsed';
  } catch (error) {
    if (isAbort(error)) return 'aborted';
    throw error;
  }
}
