// How a publication changes a twin. Pure: no clock, no store; the same inputs give the same twin. What KubeEdge's contract asks of
// an update is decided here; what becomes of desired values in `desired-rules.ts`, of the state in `state-rules.ts`.
import type { DeviceDefinition, PropertyDefinition } from './device.ts';
import type { Change, PropertyChange } from './fact.ts';
import { applyExpected } from './desired-rules.ts';
import type { PropertyUpdate, ValueRule } from './property-update.ts';
import { checkValue, propertyTypeNamed } from './property-value.ts';
import { applyActual, type AppliedProperty } from './reported-rules.ts';
import { seenOnline } from './state-rules.ts';
import type { Twin, TwinProperty } from './twin.ts';

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

/** A twin that holds more already, because its model shrank, is served on; it only grows no further. */
function mostProperties(twin: Twin, definition: DeviceDefinition): number {
  return Math.max(Object.keys(twin.properties).length, definition.properties.length + MOST_UNDECLARED_PROPERTIES);
}

const tooMany = (definition: DeviceDefinition): string =>
  `the twin of ${definition.namespace}/${definition.name} already holds ${MOST_UNDECLARED_PROPERTIES} properties that its device model does not declare; declare them in the DeviceModel`;
