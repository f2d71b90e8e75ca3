// How a publication changes a twin. Pure: no clock, no store; the same inputs give the same twin. What KubeEdge's contract asks of
// an update is decided here; what becomes of desired values in `desired-rules.ts`, of the state in `state-rules.ts`.
import type { DeviceDefinition, PropertyDefinition } from './device.ts';
import type { Change, PropertyChange, RemovedChange } from './fact.ts';
import { applyExpected } from './desired-rules.ts';
import { KUBEEDGE_REASONS, saidAsKubeEdge } from './kubeedge-reasons.ts';
import { countWishes } from './override-rules.ts';
import type { PropertyUpdate, Touched, ValueRule } from './property-update.ts';
import { checkValue, propertyTypeNamed, unusualTypeName, valueRefusal } from './property-value.ts';
import { removeProperty } from './removal-rules.ts';
import { applyActual, type AppliedProperty } from './reported-rules.ts';
import { seenOnline } from './state-rules.ts';
import { isThere, type Twin, type TwinProperty } from './twin.ts';
import { withinBounds } from './twin-bounds.ts';

export type UpdateOutcome =
  | { readonly kind: 'refused'; readonly reason: string }
  | ({ readonly kind: 'applied'; readonly before: Twin; readonly after: Twin } & ToldChanges);

/** What the cloud is to be told of one publication, as one fact each where there is anything. */
interface ToldChanges {
  readonly changes: readonly Change[];
  /** Those of properties of class `telemetry`. */
  readonly telemetry: readonly (PropertyChange | RemovedChange)[];
  /** What becomes a fact later, unless something newer does. */
  readonly owed: readonly PropertyChange[];
  /** What the sender is to be told. */
  readonly touched: readonly Touched[];
}

/** Applies one publication, whole or not at all. A repeated value moves its time and is no change, unless `keep` says `all`. */
export function applyUpdate(
  twin: Twin,
  definition: DeviceDefinition,
  updates: readonly PropertyUpdate[],
  now: number,
): UpdateOutcome {
  const properties: Record<string, TwinProperty> = { ...twin.properties };
  const told = { changes: [] as Change[], telemetry: [] as (PropertyChange | RemovedChange)[] };
  const owed: PropertyChange[] = [];
  const touched: Touched[] = [];
  for (const update of updates) {
    const declared = definition.properties.find(({ name }) => name === update.property);
    const applied = applyOne({ twin, stored: properties[update.property], declared }, update, now);
    if (typeof applied === 'string') return { kind: 'refused', reason: applied };
    keep(properties, update, applied);
    told[declared?.class === 'telemetry' ? 'telemetry' : 'changes'].push(...applied.changes);
    if (applied.owed !== undefined) owed.push(applied.owed);
    if (applied.touched !== undefined) touched.push(applied.touched);
  }
  const held = withinBounds(twin, { ...twin, properties }, definition);
  if (typeof held === 'string') return { kind: 'refused', reason: held };
  const seen = seenOnline(held, updates, now);
  const { twin: after, changes: overrides } = countWishes(twin, seen.twin, definition, now);
  const changes = [...told.changes, ...seen.changes, ...overrides];
  return { kind: 'applied', before: twin, after, ...told, changes, owed, touched };
}

interface AppliedUpdate extends Pick<AppliedProperty, 'changes' | 'owed'> {
  /** `undefined`: there is nothing to keep of it. */
  readonly property: TwinProperty | undefined;
  readonly touched?: Touched;
}

/** A property goes behind the others when it is removed: so the oldest of these stand first. */
function keep(
  properties: Record<string, TwinProperty>,
  { property: name, isRemoval }: PropertyUpdate,
  { property }: AppliedUpdate,
): void {
  if (isRemoval === true) Reflect.deleteProperty(properties, name);
  if (property !== undefined) properties[name] = property;
}

interface Known {
  readonly twin: Twin;
  readonly stored: TwinProperty | undefined;
  readonly declared: PropertyDefinition | undefined;
}

function applyOne({ twin, stored, declared }: Known, update: PropertyUpdate, now: number): AppliedUpdate | string {
  if (update.isRemoval === true) return removed({ stored, declared }, update.property, now);
  const rule = ruleFor(update, declared, stored);
  if (typeof rule === 'string') return rule;
  if (stored === undefined || !isThere(stored)) return touch(begin(update, rule, stored ?? twin), update, rule, now);
  return saysNothing(update, stored) ? { property: stored, changes: [] } : touch(stored, update, rule, now);
}

function touch(begun: TwinProperty, update: PropertyUpdate, rule: ValueRule, now: number): AppliedUpdate | string {
  const applied = applyValues(begun, update, rule, now);
  if (typeof applied === 'string') return applied;
  const { property, expected, ...rest } = applied;
  const kept = update.optional === false ? ({ ...property, optional: false } as const) : property;
  return { ...rest, property: kept, touched: touchedBy(update, expected) };
}

const touchedBy = ({ property, actual }: PropertyUpdate, expected: string | undefined): Touched => ({
  property,
  kind: 'set',
  isReported: actual !== undefined,
  ...(expected === undefined ? {} : { expected }),
});

/** Removing what is not there is done, like removing it twice. */
function removed({ stored, declared }: Omit<Known, 'twin'>, name: string, now: number): AppliedUpdate {
  const touched = { property: name, kind: 'removed' } as const;
  if (stored === undefined || !isThere(stored)) return { property: stored, changes: [], touched };
  const { isAllowed, property, changes } = removeProperty(stored, name, declared, now);
  return { property, changes, ...(isAllowed ? { touched } : {}) };
}

function saysNothing({ actual, expected, optional }: PropertyUpdate, stored: TwinProperty): boolean {
  const isLocked = optional === false && stored.optional !== false;
  return actual === undefined && expected === undefined && !isLocked;
}

/** A property that is not there yet, or no more. */
function begin(
  update: PropertyUpdate,
  { type }: ValueRule,
  { floor, undesired }: Pick<TwinProperty, 'floor' | 'undesired'>,
): TwinProperty {
  const typeName = unusualTypeName(update.typeName, type);
  const hasValue = update.actual !== undefined || update.expected !== undefined;
  return {
    type,
    ...(typeName === undefined ? {} : { typeName }),
    ...(hasValue ? {} : { isNamed: true }),
    ...(floor === undefined ? {} : { floor }),
    ...(undesired === undefined ? {} : { undesired }),
  };
}

function ruleFor(
  update: PropertyUpdate,
  declared: PropertyDefinition | undefined,
  stored: TwinProperty | undefined,
): ValueRule | string {
  if (declared !== undefined) return declared;
  const type = stored !== undefined && isThere(stored) ? stored.type : propertyTypeNamed(update.typeName ?? '');
  if (type !== undefined) return { type, accessMode: 'ReadWrite', isUndeclared: true };
  return saidAsKubeEdge(
    KUBEEDGE_REASONS.unknownType,
    `property "${update.property}": the type "${(update.typeName ?? '').slice(0, 40)}" is unknown; use string, int, float, double, boolean, bytes or json`,
  );
}

function applyValues(
  property: TwinProperty,
  update: PropertyUpdate,
  rule: ValueRule,
  now: number,
): AppliedProperty | string {
  const wished = applyExpected({ ...property, type: rule.type }, update, rule, now);
  if (typeof wished === 'string' || update.actual === undefined) return wished;
  const checked = checkValue(update.actual.raw, rule);
  if (checked.kind === 'refused') return valueRefusal(update.property, checked);
  const actual = applyActual(
    wished.property,
    { name: update.property, keep: rule.keep },
    { value: checked.text, deviceTime: update.actual.deviceTime },
    now,
  );
  return { ...wished, ...actual, changes: [...wished.changes, ...actual.changes] };
}
