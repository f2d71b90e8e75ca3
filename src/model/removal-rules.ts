// What it means that a client removes a property (`null` in its place), and how long a removed one is remembered. Pure.
import { declaredNames, type DeviceDefinition, type PropertyDefinition } from './device.ts';
import { releaseOverride } from './desired-rules.ts';
import type { RemovedChange } from './fact.ts';
import { isThere, type Twin, type TwinProperty } from './twin.ts';

export interface Removal {
  readonly isAllowed: boolean;
  /** What is left of it; `undefined` when there is nothing to remember. */
  readonly property: TwinProperty | undefined;
  readonly changes: readonly RemovedChange[];
}

/**
 * Takes away what the device's side has said: reported, confirmed, and wished for at this node. What the cloud desires stands, so
 * that the device is told of it again. The property stays as the memory of its versions. One that is not optional stays as it is.
 */
export function removeProperty(
  property: TwinProperty,
  name: string,
  declared: PropertyDefinition | undefined,
  now: number,
): Removal {
  if (property.optional === false) return { isAllowed: false, property, changes: [] };
  const { type, reported, observedDesired } = property;
  const released = releaseOverride(property, declared?.desired, now);
  const wasTold = reported !== undefined || observedDesired !== undefined;
  const n = newestOf(property) + (wasTold ? 1 : 0);
  const changes: RemovedChange[] = wasTold ? [{ kind: 'removed', property: name, n }] : [];
  const left = { type, ...(n === 0 ? {} : { floor: n }), ...wishesOf(released) };
  return {
    isAllowed: true,
    property: declared === undefined && n === 0 && released.undesired === undefined ? undefined : left,
    changes,
  };
}

const wishesOf = ({ desired, undesired }: TwinProperty): Pick<TwinProperty, 'desired' | 'undesired'> => ({
  ...(desired === undefined ? {} : { desired }),
  ...(undesired === undefined ? {} : { undesired }),
});

const newestOf = ({ reported, observedDesired, floor = 0 }: TwinProperty): number =>
  Math.max(reported?.n ?? 0, observedDesired?.n ?? 0, floor);

/**
 * Properties that no model declares and that were removed are forgotten, the oldest first, where the twin holds more than so many;
 * the twin's floor stands for their versions from then on.
 */
export function forgetRemoved(twin: Twin, definition: DeviceDefinition, most: number): Twin {
  let excess = Object.keys(twin.properties).length - most;
  if (excess <= 0) return twin;
  const declared = declaredNames(definition);
  let floor = twin.floor ?? 0;
  const left: Record<string, TwinProperty> = {};
  for (const [name, property] of Object.entries(twin.properties)) {
    if (excess > 0 && !isThere(property) && !declared.has(name)) {
      floor = Math.max(floor, newestOf(property), property.undesired?.n ?? 0);
      excess -= 1;
    } else left[name] = property;
  }
  return { ...twin, ...(floor === 0 ? {} : { floor }), properties: left };
}
