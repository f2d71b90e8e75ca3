import { setTimeout as delay } from 'node:timers/promises';

/**
 * Polls until the condition gives something truthy and returns that; rejects after the time-out, saying what was awaited. The
 * time-out is no promise about the program: it only ends a test that waits in vain, and is ample for a loaded machine.
 */
export async function waitUntil<T>(
  what: string,
  condition: () => T | Promise<T>,
  timeoutMs = 30_000,
): Promise<Exclude<Awaited<T>, undefined | null | false | 0 | ''>> {
  const until = performance.now() + timeoutMs;
  let failure: unknown;
  while (performance.now() < until) {
    try {
      const value = await condition();
      if (value) return value as Exclude<Awaited<T>, undefined | null | false | 0 | ''>;
    } catch (error) {
      failure = error;
    }
    await delay(20);
  }
  throw new Error(`waited ${timeoutMs} ms for ${what}`, { cause: failure });
}
