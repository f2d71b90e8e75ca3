// What becomes of desired values: a wish of the cloud, a wish at this node, and what the device's side confirms (design: the way
// down, point 6). Pure.
import type { DeviceDefinition } from './device.ts';
import type { PropertyChange } from './fact.ts';
import type { PropertyUpdate, ValueRule } from './property-update.ts';
import { checkValue, valueRefusal } from './property-value.ts';
import type { AppliedProperty } from './reported-rules.ts';
import { emptyTwin, type Desired, type Twin, type TwinProperty } from './twin.ts';

/**
 * `expected` beside `actual` is a mapper's report: it names the desired value that the mapper has seen, which may be an older one
 * than the cloud's newest, and never changes what is desired. `expected` alone is somebody's wish: the value that is desired
 * already is confirmed, another one overrides it locally. Of an undeclared property the cloud desires nothing that a mapper could
 * have seen: `expected` is a wish there in any company.
 */
export function applyExpected(
  property: TwinProperty,
  update: PropertyUpdate,
  rule: ValueRule,
  now: number,
): AppliedProperty | string {
  if (update.expected === undefined) return { property, changes: [] };
  const checked = checkValue(update.expected.raw, rule);
  if (checked.kind === 'refused') return valueRefusal(update.property, checked);
  const isReport = update.actual !== undefined && rule.isUndeclared !== true;
  const isSeen = isReport || property.desired?.value === checked.text;
  const expected = checked.text;
  if (isSeen) return { ...confirmDesired(property, update.property, expected, now), expected };
  if (rule.accessMode === 'ReadOnly')
    return `property "${update.property}" is ReadOnly in the device model; it cannot be given a desired value`;
  return { property: { ...property, desired: localDesired(property.desired, expected, now) }, changes: [], expected };
}

function localDesired(last: Desired | undefined, value: string, now: number): Desired {
  return { value, n: (last?.n ?? 0) + 1, at: now, revision: last?.revision ?? 0, origin: 'local' };
}

function confirmDesired(property: TwinProperty, name: string, value: string, now: number): AppliedProperty {
  const last = property.observedDesired;
  if (last?.value === value) return { property, changes: [] };
  const observedDesired = { value, n: (last?.n ?? property.floor ?? 0) + 1, at: now };
  const change: PropertyChange = { kind: 'observed', property: name, type: property.type, value, n: observedDesired.n };
  return { property: { ...property, observedDesired }, changes: [change] };
}

/**
 * Brings a twin in line with a new definition from the cloud. A desired value counts as changed when the cloud's own word for it
 * changed, so a local override stands until the cloud says something new (design: the way down, point 6). A device re-created
 * under the same name (`uid`) begins with an empty twin.
 */
export function applyDefinition(
  twin: Twin | undefined,
  cloud: {
    readonly previous: DeviceDefinition | undefined;
    readonly next: DeviceDefinition;
    readonly revision: number;
  },
  now: number,
): Twin {
  const { previous, next, revision } = cloud;
  const isSameDevice = twin?.uid === next.uid;
  const start = isSameDevice ? { ...twin, binding: next.binding } : emptyTwin(next);
  const properties: Record<string, TwinProperty> = { ...start.properties };
  for (const declared of next.properties) {
    const before = isSameDevice ? previous?.properties.find(({ name }) => name === declared.name) : undefined;
    const property: TwinProperty = { ...properties[declared.name], type: declared.type };
    properties[declared.name] =
      declared.desired === before?.desired ? property : withDesired(property, declared.desired, revision, now);
  }
  return { ...start, properties };
}

function withDesired(property: TwinProperty, value: string | undefined, revision: number, now: number): TwinProperty {
  const { desired, ...rest } = property;
  if (value === undefined) return rest;
  return { ...rest, desired: { value, n: (desired?.n ?? 0) + 1, at: now, revision, origin: 'cloud' } };
}

/** Desired minus reported: the properties whose device is not yet as wanted, with the wanted value. */
export function deltaOf(twin: Twin): Readonly<Record<string, string>> {
  const delta: Record<string, string> = {};
  for (const [name, { desired, reported }] of Object.entries(twin.properties)) {
    if (desired !== undefined && desired.value !== '' && desired.value !== (reported?.value ?? ''))
      delta[name] = desired.value;
  }
  return delta;
}

/** Properties whose desired value differs between two twins. */
export function desiredChanges(before: Twin | undefined, after: Twin): readonly string[] {
  return Object.keys({ ...before?.properties, ...after.properties }).filter(
    (name) => before?.properties[name]?.desired?.value !== after.properties[name]?.desired?.value,
  );
}
