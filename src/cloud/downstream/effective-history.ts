// How much of a property's history its node keeps: the Device's word, else the model's, else the default. Pure.
import type { PropertyDefinition } from '../../model/device.ts';
import { parseKeep } from '../../model/keep.ts';
import type { HistoryWords } from '../kubernetes/resources.ts';
import type { Problem } from './problem.ts';

const CLASSES: readonly string[] = ['twin', 'telemetry'];

/** The defaults are left out; a word that nobody knows counts as none. */
export function effectiveHistory(own: HistoryWords, model: HistoryWords): Pick<PropertyDefinition, 'keep' | 'class'> {
  const keep = parseKeep(own.keep ?? '') ?? parseKeep(model.keep ?? '') ?? 'changes';
  const chosen = [own.class, model.class].find((word) => CLASSES.includes(word ?? ''));
  return { ...(keep === 'changes' ? {} : { keep }), ...(chosen === 'telemetry' ? { class: chosen } : {}) };
}

/** The schema of the definitions refuses such words; a cluster that has older definitions does not. */
export function historyProblem(
  where: string,
  properties: readonly ({ readonly name: string } & HistoryWords)[],
): Problem | undefined {
  for (const [place, { name, keep, class: chosen }] of properties.entries()) {
    const field = (last: string): string => `${where}spec.properties[${place}].${last}: "${name}"`;
    if (keep !== undefined && parseKeep(keep) === undefined) {
      const message = `${field('keep')} is to be kept as all, last, changes or sampled(<number><ms|s|m|h>), not "${keep}"`;
      return { reason: 'KeepNotKnown', message };
    }
    if (chosen !== undefined && !CLASSES.includes(chosen))
      return { reason: 'ClassNotKnown', message: `${field('class')} is of class twin or telemetry, not "${chosen}"` };
  }
  return undefined;
}
