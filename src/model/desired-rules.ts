// What becomes of desired values: a wish of the cloud, a wish at this node, and what the device's side confirms (design: the way
// down, point 6). Pure.
import type { DeviceDefinition, PropertyDefinition } from './device.ts';
import type { OverrideEnd, PropertyChange } from './fact.ts';
import { countOverrides, type CountedOverrides } from './override-rules.ts';
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
  const wish = isSame(expected, rule.desired, rule)
    ? releaseOverride(property, rule.desired, now)
    : withDesired(property, { value: expected, origin: 'local', at: now });
  return { property: wish, changes: [], expected };
}

/** The cloud's value is as somebody wrote it: `05` is 5. */
function isSame(text: string, cloud: string | undefined, rule: ValueRule): boolean {
  if (cloud === undefined) return false;
  const checked = checkValue(cloud, rule);
  return text === (checked.kind === 'ok' ? checked.text : cloud);
}

/** Ends a local override in favour of what the cloud wants, which may be nothing; the same object where none stands. */
export function releaseOverride(property: TwinProperty, cloud: string | undefined, now: number): TwinProperty {
  if (property.desired?.origin !== 'local') return property;
  return cloud === undefined
    ? withoutDesired(property, now)
    : withDesired(property, { value: cloud, origin: 'cloud', at: now });
}

/** Over the revision that the last desired value came with: what is overridden several times still has its first base. */
function withDesired(
  { undesired, ...property }: TwinProperty,
  wish: Pick<Desired, 'value' | 'origin' | 'at'> & { readonly revision?: number },
): TwinProperty {
  const n = (property.desired?.n ?? undesired?.n ?? property.floor ?? 0) + 1;
  const desired = { revision: property.desired?.revision ?? 0, ...wish, n };
  return { ...property, desired };
}

function withoutDesired(property: TwinProperty, now: number): TwinProperty {
  const { desired, ...rest } = property;
  return desired === undefined ? property : { ...rest, undesired: { n: desired.n + 1, at: now } };
}

function confirmDesired(property: TwinProperty, name: string, value: string, now: number): AppliedProperty {
  const last = property.observedDesired;
  if (last?.value === value) return { property, changes: [] };
  const observedDesired = { value, n: (last?.n ?? property.floor ?? 0) + 1, at: now };
  const change: PropertyChange = { kind: 'observed', property: name, type: property.type, value, n: observedDesired.n };
  return { property: { ...property, observedDesired }, changes: [change] };
}

export interface NewDefinition {
  readonly previous: DeviceDefinition | undefined;
  readonly next: DeviceDefinition;
  readonly revision: number;
}

/**
 * Brings a twin in line with a new definition from the cloud. A desired value counts as changed when the cloud's own word for it
 * changed, so a local override stands until the cloud says something new (design: the way down, point 6), or it cannot stand any
 * more: the model forbids it, or the device was bound anew. A device re-created under the same name (`uid`) begins with an empty
 * twin.
 */
export function applyDefinition(twin: Twin | undefined, cloud: NewDefinition, now: number): CountedOverrides {
  const { next } = cloud;
  const isSameDevice = twin?.uid === next.uid;
  const before = isSameDevice ? twin : emptyTwin(next);
  const previous = isSameDevice ? cloud.previous : undefined;
  const properties = { ...before.properties, ...takenBack(before, previous, now) };
  for (const declared of next.properties) {
    const word = previous?.properties.find(({ name }) => name === declared.name)?.desired;
    const property = declaredAs(declared, before);
    const isSettled = declared.desired === word && mayStand(property, declared, before.binding !== next.binding);
    properties[declared.name] = isSettled ? property : asTheCloudSays(property, declared.desired, cloud.revision, now);
  }
  const after = { ...before, binding: next.binding, properties };
  return countOverrides(before, after, next, { now, whyEnded: (name, was) => whyEnded(name, was, before, cloud) });
}

/** One that is new to the twin begins above what the twin has forgotten. How a client spells the type counts no more. */
function declaredAs({ name, type }: PropertyDefinition, { properties, floor }: Twin): TwinProperty {
  const stored = properties[name];
  if (stored === undefined) return floor === undefined ? { type } : { type, floor };
  const { typeName, ...property } = stored;
  return typeName === undefined && stored.type === type ? stored : { ...property, type };
}

/** What was declared has no desired value, unless it is declared again. */
function takenBack(twin: Twin, previous: DeviceDefinition | undefined, now: number): Record<string, TwinProperty> {
  const left: Record<string, TwinProperty> = {};
  for (const { name } of previous?.properties ?? []) {
    const property = twin.properties[name];
    if (property !== undefined) left[name] = withoutDesired(property, now);
  }
  return left;
}

function mayStand({ desired }: TwinProperty, declared: PropertyDefinition, isMoved: boolean): boolean {
  return desired?.origin !== 'local' || (!isMoved && isAllowed(desired.value, declared));
}

function isAllowed(value: string, declared: PropertyDefinition | undefined): boolean {
  return declared?.accessMode === 'ReadWrite' && checkValue(value, declared).kind !== 'refused';
}

function asTheCloudSays(
  property: TwinProperty,
  value: string | undefined,
  revision: number,
  now: number,
): TwinProperty {
  return value === undefined
    ? withoutDesired(property, now)
    : withDesired(property, { value, origin: 'cloud', at: now, revision });
}

function whyEnded(property: string, was: Desired, before: Twin, { next }: NewDefinition): OverrideEnd {
  const declared = next.properties.find(({ name }) => name === property);
  if (declared !== undefined && isSame(was.value, declared.desired, declared)) return 'Agreed';
  if (!isAllowed(was.value, declared)) return 'NotAllowed';
  return before.binding === next.binding ? 'CloudChanged' : 'DeviceMoved';
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
