// Whether a device is there. Pure.
import type { Change } from './fact.ts';
import type { PropertyUpdate } from './property-update.ts';
import type { Twin } from './twin.ts';

/** States that a report does not contradict. */
const SPEAKING_STATES = ['online', 'ok', 'unhealthy'];

/** A device that reports is online, whatever it was believed to be. */
export function seenOnline(
  twin: Twin,
  updates: readonly PropertyUpdate[],
  now: number,
): { readonly twin: Twin; readonly changes: readonly Change[] } {
  const reports = updates.some(({ actual }) => actual !== undefined);
  const isBelievedAway = !SPEAKING_STATES.includes(twin.state?.state.toLowerCase() ?? '');
  return reports && isBelievedAway ? applyState(twin, 'online', now) : { twin, changes: [] };
}

export function applyState(
  twin: Twin,
  state: string,
  now: number,
): { readonly twin: Twin; readonly changes: readonly Change[] } {
  const n = (twin.state?.n ?? 0) + 1;
  return { twin: { ...twin, state: { state, n, at: now } }, changes: [{ kind: 'state', state, n }] };
}
