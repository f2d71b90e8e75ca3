// How a twin changes. Pure: no clock, no store; the same inputs give the same twin. Everything that KubeEdge's contract asks of
// an update, and everything design.md says of desired values, is decided here and nowhere else.
import type { DeviceDefinition, PropertyDefinition } from './device.ts';
import type { Change, PropertyChange } from './fact.ts';
import { checkValue, propertyTypeNamed } from './property-value.ts';
import { applyActual, type AppliedProperty } from './reported-rules.ts';
import { emptyTwin, type Desired, type Twin, type TwinProperty } from './twin.ts';

/** What a publication says of one property. Values are raw JSON, checked here against the model. */
export interface PropertyUpdate {
  readonly property: string;
  readonly actual?: { readonly raw: unknown; readonly deviceTime?: number };
  readonly expected?: { readonly raw: unknown };
  /** The type the client names; counts only for properties that the device model does not declare. */
  readonly typeName?: string;
}

export type UpdateOutcome =
  | { readonly kind: 'refused'; readonly reason: string }
  | ({ readonly kind: 'applied'; readonly before: Twin; readonly after: Twin } & ToldChanges);

/** What the cloud is to be told of one publication, as one fact each where there is anything. */
interface ToldChanges {
  readonly changes: readonly Change[];
  /** Those of properties of class `telemetry`. */
  readonly telemetry: readonly PropertyChange[];
  /** What becomes a fact later, unless something newer does. */
  readonly owed: readonly PropertyChange[];
}

/** A twin may hold this many properties that its model does not declare: bounds what a client that invents names can fill. */
export const MOST_UNDECLARED_PROPERTIES = 200;

/** Applies one publication, whole or not at all. A repeated value moves its time and is no change, unless `keep` says `all`. */
export function applyUpdate(
  twin: Twin,
  definition: DeviceDefinition,
  updates: readonly PropertyUpdate[],
  now: number,
): UpdateOutcome {
  const properties: Record<string, TwinProperty> = { ...twin.properties };
  const changes: Change[] = [];
  const telemetry: PropertyChange[] = [];
  const owed: PropertyChange[] = [];
  for (const update of updates) {
    const declared = definition.properties.find(({ name }) => name === update.property);
    const rule = ruleFor(update, declared, properties[update.property]);
    if (typeof rule === 'string') return { kind: 'refused', reason: rule };
    const applied = applyProperty(properties[update.property] ?? { type: rule.type }, update, rule, now);
    if (typeof applied === 'string') return { kind: 'refused', reason: applied };
    properties[update.property] = applied.property;
    (declared?.class === 'telemetry' ? telemetry : changes).push(...applied.changes);
    if (applied.owed !== undefined) owed.push(applied.owed);
  }
  if (Object.keys(properties).length > mostProperties(twin, definition))
    return { kind: 'refused', reason: tooMany(definition) };
  const { twin: after, changes: stateChanges } = seenOnline({ ...twin, properties }, updates, now);
  return { kind: 'applied', before: twin, after, changes: [...changes, ...stateChanges], telemetry, owed };
}

type ValueRule = Pick<PropertyDefinition, 'type' | 'minimum' | 'maximum' | 'accessMode' | 'keep'>;

function ruleFor(
  update: PropertyUpdate,
  declared: PropertyDefinition | undefined,
  stored: TwinProperty | undefined,
): ValueRule | string {
  if (declared !== undefined) return declared;
  const type = stored?.type ?? propertyTypeNamed(update.typeName ?? '');
  if (type !== undefined) return { type, accessMode: 'ReadWrite' };
  return `property "${update.property}": the type "${(update.typeName ?? '').slice(0, 40)}" is unknown; use string, int, float, double, boolean or bytes`;
}

function applyProperty(
  property: TwinProperty,
  update: PropertyUpdate,
  rule: ValueRule,
  now: number,
): AppliedProperty | string {
  const expected = applyExpected({ ...property, type: rule.type }, update, rule, now);
  if (typeof expected === 'string' || update.actual === undefined) return expected;
  const checked = checkValue(update.actual.raw, rule);
  if (checked.kind === 'refused') return `property "${update.property}" ${checked.reason}`;
  const actual = applyActual(
    expected.property,
    { name: update.property, keep: rule.keep },
    { value: checked.text, deviceTime: update.actual.deviceTime },
    now,
  );
  return { ...actual, changes: [...expected.changes, ...actual.changes] };
}

/**
 * `expected` beside `actual` is a mapper's report: it names the desired value that the mapper has seen, which may be an older one
 * than the cloud's newest, and never changes what is desired. `expected` alone is somebody's wish: the value that is desired
 * already is confirmed, another one overrides it locally.
 */
function applyExpected(
  property: TwinProperty,
  update: PropertyUpdate,
  rule: ValueRule,
  now: number,
): AppliedProperty | string {
  if (update.expected === undefined) return { property, changes: [] };
  const checked = checkValue(update.expected.raw, rule);
  if (checked.kind === 'refused') return `property "${update.property}" ${checked.reason}`;
  const isSeen = update.actual !== undefined || property.desired?.value === checked.text;
  if (isSeen) return confirmDesired(property, update.property, checked.text, now);
  if (rule.accessMode === 'ReadOnly')
    return `property "${update.property}" is ReadOnly in the device model; it cannot be given a desired value`;
  return { property: { ...property, desired: localDesired(property.desired, checked.text, now) }, changes: [] };
}

function localDesired(last: Desired | undefined, value: string, now: number): Desired {
  return { value, n: (last?.n ?? 0) + 1, at: now, revision: last?.revision ?? 0, origin: 'local' };
}

function confirmDesired(property: TwinProperty, name: string, value: string, now: number): AppliedProperty {
  const last = property.observedDesired;
  if (last?.value === value) return { property, changes: [] };
  const observedDesired = { value, n: (last?.n ?? 0) + 1, at: now };
  const change: PropertyChange = { kind: 'observed', property: name, type: property.type, value, n: observedDesired.n };
  return { property: { ...property, observedDesired }, changes: [change] };
}

/** States that a report does not contradict. */
const SPEAKING_STATES = ['online', 'ok', 'unhealthy'];

/** A device that reports is online, whatever it was believed to be. */
function seenOnline(
  twin: Twin,
  updates: readonly PropertyUpdate[],
  now: number,
): { readonly twin: Twin; readonly changes: readonly Change[] } {
  const reports = updates.some(({ actual }) => actual !== undefined);
  const isBelievedAway = !SPEAKING_STATES.includes(twin.state?.state.toLowerCase() ?? '');
  return reports && isBelievedAway ? applyState(twin, 'online', now) : { twin, changes: [] };
}

export function applyState(
  twin: Twin,
  state: string,
  now: number,
): { readonly twin: Twin; readonly changes: readonly Change[] } {
  const n = (twin.state?.n ?? 0) + 1;
  return { twin: { ...twin, state: { state, n, at: now } }, changes: [{ kind: 'state', state, n }] };
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

/** A twin that holds more already, because its model shrank, is served on; it only grows no further. */
function mostProperties(twin: Twin, definition: DeviceDefinition): number {
  return Math.max(Object.keys(twin.properties).length, definition.properties.length + MOST_UNDECLARED_PROPERTIES);
}

const tooMany = (definition: DeviceDefinition): string =>
  `the twin of ${definition.namespace}/${definition.name} already holds ${MOST_UNDECLARED_PROPERTIES} properties that its device model does not declare; declare them in the DeviceModel`;
