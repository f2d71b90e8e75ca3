import { ms, type Duration } from './units.ts';

export interface BackoffPlan {
  readonly first: Duration;
  readonly most: Duration;
}

/**
 * The wait before attempt `attempt` (0 is the first retry): doubling from `first` to `most`, of which a random half is taken
 * away so that many nodes that lost the same hub do not come back in the same instant.
 */
export function backoffDelay(plan: BackoffPlan, attempt: number, random: () => number = Math.random): Duration {
  const full = Math.min(plan.most, plan.first * 2 ** Math.min(attempt, 30));
  return ms(full / 2 + (full / 2) * random());
}
