// What of a reported value becomes a fact, by what the property's `keep` says (ADR 0024). Pure.
import type { DeviceDefinition, Keep } from './device.ts';
import type { PropertyChange, RemovedChange } from './fact.ts';
import type { Reported, Twin, TwinProperty } from './twin.ts';

export interface AppliedProperty {
  readonly property: TwinProperty;
  /** The value that was expected, as a twin stores it. */
  readonly expected?: string;
  readonly changes: readonly (PropertyChange | RemovedChange)[];
  /** The new value becomes a fact later, unless something newer does. */
  readonly owed?: PropertyChange;
}

interface KeptProperty {
  readonly name: string;
  readonly keep: Keep | undefined;
}

export function applyActual(
  property: TwinProperty,
  kept: KeptProperty,
  actual: { readonly value: string; readonly deviceTime: number | undefined },
  now: number,
): AppliedProperty {
  const last = property.reported;
  const isNews = last?.value !== actual.value || kept.keep === 'all';
  const reported = received(property, actual, isNews, now);
  if ((isNews || isOwed(last)) && mayTell(last, kept.keep, now)) return told({ ...property, reported }, kept, now);
  if (last?.told === undefined) return { property: { ...property, reported }, changes: [] };
  const untold = { ...property, reported: { ...reported, told: last.told } };
  return { property: untold, changes: [], owed: reportedChange(untold, kept) };
}

function received(
  { reported: last, floor = 0 }: TwinProperty,
  { value, deviceTime }: { readonly value: string; readonly deviceTime: number | undefined },
  isNews: boolean,
  now: number,
): Reported {
  const n = (last?.n ?? floor) + (isNews ? 1 : 0);
  return deviceTime === undefined ? { value, n, at: now } : { value, n, at: now, deviceTime };
}

/** True where the newest value became no fact, because another had told of its interval. */
function isOwed(reported: Reported | undefined): boolean {
  return reported?.told !== undefined && reported.told.n < reported.n;
}

/** Whether a value may become a fact now. A clock that was set back begins a new interval: nothing waits for it to catch up. */
function mayTell(last: Reported | undefined, keep: Keep | undefined, now: number): boolean {
  if (typeof keep !== 'object' || last?.told === undefined) return true;
  const since = now - last.told.at;
  return since < 0 || since >= keep.sampledEvery;
}

type ReportedProperty = TwinProperty & { readonly reported: Reported };

/** The reported value becomes a fact. */
function told(property: ReportedProperty, kept: KeptProperty, now: number): AppliedProperty {
  const changes = [reportedChange(property, kept)];
  const { reported } = property;
  if (typeof kept.keep !== 'object' && reported.told === undefined) return { property, changes };
  return { property: { ...property, reported: { ...reported, told: { n: reported.n, at: now } } }, changes };
}

function reportedChange({ type, reported }: ReportedProperty, { name, keep }: KeptProperty): PropertyChange {
  const { value, n, deviceTime } = reported;
  return {
    kind: 'reported',
    property: name,
    type,
    value,
    n,
    ...(deviceTime === undefined ? {} : { deviceTime }),
    ...(keep === 'last' ? { isCompactable: true } : {}),
  };
}

/** Whether a value of the twin became no fact yet. */
export function owesFacts(twin: Twin): boolean {
  for (const name in twin.properties) if (isOwed(twin.properties[name]?.reported)) return true;
  return false;
}

export interface OwedChange {
  readonly after: Twin;
  readonly change: PropertyChange;
  /** When the value was received. */
  readonly at: number;
  readonly isTelemetry: boolean;
}

/**
 * Where a device fell silent within an interval of a sampled property, its last value becomes a fact when the interval is over.
 * One property at a time, because values that were admitted apart need not fit one message. `undefined`: nothing is due.
 */
export function tellOwed(twin: Twin, definition: DeviceDefinition, now: number): OwedChange | undefined {
  for (const [name, property] of Object.entries(twin.properties)) {
    const { reported } = property;
    if (reported === undefined || !isOwed(reported)) continue;
    const declared = definition.properties.find((one) => one.name === name);
    const kept = { name, keep: declared?.keep };
    if (!mayTell(reported, kept.keep, now)) continue;
    const { property: next } = told({ ...property, reported }, kept, now);
    const after = { ...twin, properties: { ...twin.properties, [name]: next } };
    const change = reportedChange({ ...property, reported }, kept);
    return { after, change, at: reported.at, isTelemetry: declared?.class === 'telemetry' };
  }
  return undefined;
}
