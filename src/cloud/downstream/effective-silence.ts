// How long a device may be silent: the Device's word, else the model's; without one, silence says nothing. Pure.
import { parseInterval } from '../../model/keep.ts';
import type { DeviceModelResource, DeviceResource } from '../kubernetes/resources.ts';
import type { Problem } from './problem.ts';

/** Milliseconds; a word that nobody knows counts as none. */
export function effectiveStaleAfter(device: DeviceResource, model: DeviceModelResource): number | undefined {
  return parseInterval(device.spec.staleAfter ?? '') ?? parseInterval(model.spec.staleAfter ?? '');
}

/** The schema of the definitions refuses such words; a cluster that has older definitions does not. */
export function silenceProblem(device: DeviceResource, model: DeviceModelResource): Problem | undefined {
  const words = [
    ['', device.spec.staleAfter],
    [`DeviceModel "${model.metadata.name}" `, model.spec.staleAfter],
  ] as const;
  for (const [where, word] of words) {
    if (word === undefined || parseInterval(word) !== undefined) continue;
    const message = `${where}spec.staleAfter: a time as 30s, 5m or 1h (<number><ms|s|m|h>), not "${word}"`;
    return { reason: 'StaleAfterNotKnown', message };
  }
  return undefined;
}
