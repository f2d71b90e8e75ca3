// Which wishes of this node stand over the cloud's, and what the cloud is to be told of them (design: the way down, point 6). Pure.
import type { DeviceDefinition } from './device.ts';
import type { EndedOverride, OverrideChange, OverrideEnd, StandingOverride } from './fact.ts';
import type { Desired, Twin } from './twin.ts';

/** How much is told of a value that does not count any more: enough to know it by. */
const SHOWN = 100;

export interface CountedOverrides {
  readonly twin: Twin;
  readonly changes: readonly OverrideChange[];
}

/** Brings the twin's list of overrides in line with its desired values; `whyEnded` is asked about each that stands no more. */
export function countOverrides(
  before: Twin,
  after: Twin,
  definition: DeviceDefinition,
  reason: { readonly now: number; readonly whyEnded: (property: string, was: Desired) => OverrideEnd },
): CountedOverrides {
  const properties = definition.properties
    .map(({ name }) => name)
    .filter((name) => after.properties[name]?.desired?.origin === 'local');
  const last = before.overrides;
  if (isSame(before, after, properties)) return { twin: after, changes: [] };
  const overrides = { properties, n: (last?.n ?? 0) + 1, at: reason.now };
  const twin = { ...after, overrides };
  const ended = (last?.properties ?? [])
    .filter((name) => !properties.includes(name))
    .flatMap((name) => endedOverride(name, before, after, reason.whyEnded));
  return { twin, changes: [{ ...overrideChange(twin), ended }] };
}

/** After an update of this node's own: what stands no more was ended here. Only where a desired value moved is there a list to make. */
export function countWishes(before: Twin, after: Twin, definition: DeviceDefinition, now: number): CountedOverrides {
  for (const name in after.properties)
    if (after.properties[name]?.desired !== before.properties[name]?.desired)
      return countOverrides(before, after, definition, { now, whyEnded: () => 'Released' });
  return { twin: after, changes: [] };
}

/** What stands, as the newest word about it; of a device that nobody overrode, that nothing does. */
export function overrideChange(twin: Twin): OverrideChange {
  const standing = (twin.overrides?.properties ?? []).flatMap((property): readonly StandingOverride[] => {
    const desired = twin.properties[property]?.desired;
    if (desired === undefined) return [];
    const { value, revision, at } = desired;
    return [{ property, value, revision, at }];
  });
  return { kind: 'override', n: twin.overrides?.n ?? 0, standing, ended: [] };
}

function isSame(before: Twin, after: Twin, properties: readonly string[]): boolean {
  const last = before.overrides?.properties ?? [];
  if (last.length !== properties.length) return false;
  const value = (twin: Twin, name: string) => twin.properties[name]?.desired?.value;
  return properties.every((name) => last.includes(name) && value(before, name) === value(after, name));
}

function endedOverride(
  property: string,
  before: Twin,
  after: Twin,
  whyEnded: (property: string, was: Desired) => OverrideEnd,
): readonly EndedOverride[] {
  const was = before.properties[property]?.desired;
  if (was === undefined) return [];
  const desired = after.properties[property]?.desired?.value;
  const reason = whyEnded(property, was);
  const instead = desired === undefined ? {} : { desired: shortened(desired) };
  return [{ property, value: shortened(was.value), reason, ...instead }];
}

const shortened = (text: string): string => (text.length <= SHOWN ? text : `${text.slice(0, SHOWN - 1)}…`);
