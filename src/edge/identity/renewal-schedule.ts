// When credentials are to be renewed: at two thirds of their life, a little earlier for some than for others, so that nodes which
// joined together do not come back together. Counted by the monotonic clock: a wall clock that is set moves nothing. Pure.
import { backoffDelay } from '../../kit/backoff.ts';
import { ms, seconds, type Duration } from '../../kit/units.ts';
import { isTimeKnown } from '../../kit/known-time.ts';

/** When something was issued and ends, in milliseconds since the epoch of the clock of whoever issued it. */
export interface Life {
  readonly issuedAt: number;
  /** `undefined`: never. */
  readonly expiresAt: number | undefined;
}

const RENEW_AT = 2 / 3;
/** The share of a life over which nodes are spread. */
const SPREAD = 1 / 15;
const RETRY = { first: seconds(1), most: seconds(300) };
/** What a person must see to is asked about as often as that. */
const REFUSED_RETRY = { first: seconds(30), most: seconds(600) };

/** How long to wait with credentials that were issued this moment; `undefined`: for ever. */
export function waitOfFresh({ issuedAt, expiresAt }: Life, random: () => number): Duration | undefined {
  if (expiresAt === undefined) return undefined;
  return ms(Math.max(0, expiresAt - issuedAt) * (RENEW_AT - SPREAD * random()));
}

/**
 * How long to wait with credentials that an earlier process got. How old they are, only the wall clock can say; where what it shows
 * cannot be, they are renewed at once, and nothing is taken for granted.
 */
export function waitOfKept(life: Life, wall: number, random: () => number): Duration | undefined {
  const whole = waitOfFresh(life, random);
  if (whole === undefined) return undefined;
  const age = wall - life.issuedAt;
  return isTimeKnown(wall) && age >= 0 ? ms(Math.max(0, whole - age)) : ms(0);
}

/** The wait after the attempt of that number failed, 0 being the first. */
export function waitAfterFailure(attempt: number, isRefused: boolean, random: () => number): Duration {
  return backoffDelay(isRefused ? REFUSED_RETRY : RETRY, attempt, random);
}
