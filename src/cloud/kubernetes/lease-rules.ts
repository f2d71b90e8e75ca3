// Who leads, by a lease that several want. Clocks of different machines are never compared: whoever waits measures, with its own,
// how long it has seen the lease unchanged; whoever leads measures since before it sent its last renewal. A leader gives up
// earlier than anybody takes over, so that there are never two, as long as their clocks run about equally fast. Pure.
import { ms, seconds, type Duration } from '../../kit/units.ts';

export interface LeaseTimes {
  /** Unchanged for so long, the lease is anybody's. */
  readonly duration: Duration;
  readonly renewEvery: Duration;
  /** Without a renewal for so long, its holder leads no more. The rest of `duration` is for ending what is under way. */
  readonly giveUpAfter: Duration;
  /** How often those who wait look. */
  readonly lookEvery: Duration;
}

/** A killed leader is followed within `duration` + `lookEvery`, and what the API server takes to answer. */
export const LEASE_TIMES: LeaseTimes = {
  duration: seconds(10),
  renewEvery: seconds(2),
  giveUpAfter: seconds(7),
  lookEvery: seconds(1),
};

/** The lease as it was last seen. Times are monotonic and one's own. */
export interface SeenLease {
  /** Empty: released. */
  readonly holder: string;
  readonly duration: Duration;
  /** Changes with every write. */
  readonly mark: string;
  /** When it was first seen with this mark. */
  readonly since: number;
}

export type LeaseMove = 'create' | 'write' | { readonly wait: Duration };

/** What to do about the lease; `undefined`: there is none. */
export function nextMove(identity: string, seen: SeenLease | undefined, now: number): LeaseMove {
  if (seen === undefined) return 'create';
  if (seen.holder === '' || seen.holder === identity) return 'write';
  const left = seen.since + seen.duration - now;
  return left <= 0 ? 'write' : { wait: ms(left) };
}

/** The same moment for as long as nobody writes the lease. */
export function seenAgain(before: SeenLease | undefined, found: Omit<SeenLease, 'since'>, now: number): SeenLease {
  return { ...found, since: before?.mark === found.mark ? before.since : now };
}

/** How long somebody still leads whose last renewal that succeeded was sent at `renewedAt`. */
export function leadsFor(renewedAt: number, times: LeaseTimes, now: number): Duration {
  return ms(Math.max(0, renewedAt + times.giveUpAfter - now));
}
