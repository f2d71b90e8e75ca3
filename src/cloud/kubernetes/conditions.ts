// Conditions by Kubernetes' rules: one of each type, and the time of the last transition moves only when the status does. Pure.
import type { Condition, DeviceStatus } from './resources.ts';

export type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>;

export function conditionOf(status: DeviceStatus | undefined, type: string): Condition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

/** The very same object where the condition says this already. `now` in milliseconds since the epoch. */
export function withCondition<S extends DeviceStatus | undefined>(
  status: S,
  type: string,
  verdict: Verdict,
  now: number,
): S | DeviceStatus {
  const before = conditionOf(status, type);
  const isSame = before?.status === verdict.status;
  if (isSame && before.reason === verdict.reason && before.message === verdict.message) return status;
  const lastTransitionTime = isSame ? before.lastTransitionTime : new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
  const others = (status?.conditions ?? []).filter((condition) => condition.type !== type);
  return { ...status, conditions: [...others, { type, ...verdict, lastTransitionTime }] };
}
