// What the way down writes into a Device's status: its binding, and whether the device can be served (condition Accepted). Pure.
import type { Condition, DeviceModelResource, DeviceResource, DeviceStatus } from '../kubernetes/resources.ts';
import { effectiveDevice, nextBinding } from './effective-device.ts';

export const ACCEPTED = 'Accepted';

/** The status as it should be; the very same object when it is so already. */
export function acceptedStatus(
  device: DeviceResource,
  model: DeviceModelResource | undefined,
  now: number,
): DeviceStatus | undefined {
  const binding = nextBinding(device);
  const bound = binding === 'unchanged' ? device.status : { ...device.status, binding };
  return withCondition(bound, wantedCondition(device, model), now);
}

export function acceptedCondition(device: DeviceResource): Condition | undefined {
  return device.status?.conditions?.find(({ type }) => type === ACCEPTED);
}

type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>;

function wantedCondition(device: DeviceResource, model: DeviceModelResource | undefined): Verdict {
  const effective = effectiveDevice(device, model);
  if (effective.kind === 'incomplete') return { status: 'False', reason: effective.reason, message: effective.message };
  if (effective.withheld !== undefined) return { status: 'False', ...effective.withheld };
  return { status: 'True', reason: 'Complete', message: 'every property is one of the DeviceModel' };
}

function withCondition(status: DeviceStatus | undefined, verdict: Verdict, now: number): DeviceStatus | undefined {
  const conditions = status?.conditions ?? [];
  const before = conditions.find(({ type }) => type === ACCEPTED);
  if (before !== undefined && before.reason === verdict.reason && before.message === verdict.message) return status;
  const since = before?.status === verdict.status ? before.lastTransitionTime : undefined;
  const lastTransitionTime = since ?? new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
  const others = conditions.filter(({ type }) => type !== ACCEPTED);
  return { ...status, conditions: [...others, { type: ACCEPTED, ...verdict, lastTransitionTime }] };
}
