// What the way down writes into a Device's status: its binding, and whether the device can be served (condition Accepted). Pure.
import { conditionOf, withCondition, type Verdict } from '../kubernetes/conditions.ts';
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
  return withCondition(bound, ACCEPTED, wantedCondition(device, model), now);
}

export function acceptedCondition(device: DeviceResource): Condition | undefined {
  return conditionOf(device.status, ACCEPTED);
}

function wantedCondition(device: DeviceResource, model: DeviceModelResource | undefined): Verdict {
  const effective = effectiveDevice(device, model);
  if (effective.kind === 'incomplete') return { status: 'False', reason: effective.reason, message: effective.message };
  if (effective.withheld !== undefined) return { status: 'False', ...effective.withheld };
  return { status: 'True', reason: 'Complete', message: 'every property is one of the DeviceModel' };
}
