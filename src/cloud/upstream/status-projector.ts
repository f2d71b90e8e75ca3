// (Device, its status, what a node reports) → the new status. By version and never by order of arrival, so late history, replays
// and duplicates end in the same status (G4). Pure.
import { isAlive } from '../../model/state-rules.ts';
import type { DeviceEvent } from '../../wire/device-events.ts';
import { compareVersions, formatVersion, parseVersion, type Version } from '../../model/version.ts';
import { withSaidState } from './node-silence.ts';
import { withOverrides, type OverriddenDevice } from './local-overrides.ts';
import type {
  DeviceModelResource,
  DeviceResource,
  DeviceStatus,
  TwinStatus,
  TwinValue,
} from '../kubernetes/resources.ts';

const ONLINE = 'online';
const VALUE_LENGTH = 40;
const SUMMARY_LENGTH = 200;

/** Names of the properties that a Device has: those its spec lists, then those only its model does. */
export function declaredProperties(device: DeviceResource, model: DeviceModelResource | undefined): readonly string[] {
  const listed = (device.spec.properties ?? []).map(({ name }) => name);
  const modelled = (model?.spec.properties ?? []).map(({ name }) => name);
  return [...new Set([...listed, ...modelled])];
}

/** What must be known of a Device to project reports onto it. */
export interface ProjectedDevice extends OverriddenDevice {
  readonly uid: string;
  readonly properties: readonly string[];
  /** When an event shows that the device lived; what its node says where nobody knows better. */
  readonly livedAt?: (event: DeviceEvent) => number;
}

/**
 * When the device lived, by a clock that can be trusted. A node whose clock stands in 1970 or ahead of time must not make its devices
 * look long gone, or alive for years to come. What was just said was said when the stream stored it; backlog, and a state that sums
 * up older words, earlier than that.
 */
export function momentOf(event: DeviceEvent, what: 'state' | 'fact', storedAt: number): number {
  const { receivedAt, seenAt = receivedAt, historical } = event;
  return what === 'fact' && !historical ? storedAt - Math.max(0, receivedAt - seenAt) : Math.min(seenAt, storedAt);
}

/** `stale`: the event changes nothing, because the status knows better or the event is about something else. */
export function projectEvent(
  device: ProjectedDevice,
  status: DeviceStatus,
  event: DeviceEvent,
): DeviceStatus | 'stale' {
  if (event.uid !== device.uid) return 'stale';
  const projected = withLastOnline(device, withChange(device, status, event), event);
  return projected === status ? 'stale' : withSummary(device, projected);
}

/** The same object when none of the events changes anything. */
export function projectAll(
  device: ProjectedDevice,
  status: DeviceStatus,
  events: readonly DeviceEvent[],
): DeviceStatus {
  return events.reduce((current, event) => {
    const next = projectEvent(device, current, event);
    return next === 'stale' ? current : next;
  }, status);
}

function withChange(device: ProjectedDevice, status: DeviceStatus, event: DeviceEvent): DeviceStatus {
  switch (event.kind) {
    case 'state':
      return withState(status, event);
    case 'reported':
      return withTwin(device, status.state === undefined ? { ...status, state: ONLINE } : status, event);
    case 'observed':
      return withTwin(device, status, event);
    case 'removed':
      return withoutTwin(device, status, event);
    case 'override':
      return withNewerOverrides(device, status, event);
    case 'gap':
    case 'rejected':
      return status;
  }
}

function withNewerOverrides(device: ProjectedDevice, status: DeviceStatus, event: DeviceEvent): DeviceStatus {
  const { override, version } = event;
  if (override === undefined || !isNewer(version, status.overrides?.version)) return status;
  return withOverrides(device, status, override, { version, at: momentIn(device, event) });
}

function withState(status: DeviceStatus, event: DeviceEvent): DeviceStatus {
  if (!isNewer(event.version, status.stateVersion)) return status;
  return { ...withSaidState(status, event.value), stateVersion: formatVersion(event.version) };
}

function withTwin(device: ProjectedDevice, status: DeviceStatus, event: DeviceEvent): DeviceStatus {
  const declared = device.properties;
  if (!declared.includes(event.property)) return status;
  const field = event.kind === 'observed' ? 'observedDesired' : 'reported';
  const twins = status.twins ?? [];
  const twin = twins.find(({ propertyName }) => propertyName === event.property);
  if (!isNewer(event.version, versionOf(twin?.[field])) || !isNewer(event.version, twin?.removedVersion)) return status;
  return withChanged(device, status, { ...(twin ?? { propertyName: event.property }), [field]: twinValue(event) });
}

/** The version of the removal stays: what was reported before it, and arrives later, does not bring the value back. */
function withoutTwin(device: ProjectedDevice, status: DeviceStatus, { property, version }: DeviceEvent): DeviceStatus {
  const twin = (status.twins ?? []).find(({ propertyName }) => propertyName === property);
  if (!device.properties.includes(property) || !isNewer(version, twin?.removedVersion)) return status;
  const { reported, observedDesired } = twin ?? {};
  const isLeft = (value: TwinValue | undefined): value is TwinValue => {
    const left = parseVersion(versionOf(value) ?? '');
    return left !== undefined && compareVersions(left, version) > 0;
  };
  return withChanged(device, status, {
    propertyName: property,
    removedVersion: formatVersion(version),
    ...(isLeft(observedDesired) ? { observedDesired } : {}),
    ...(isLeft(reported) ? { reported } : {}),
  });
}

function withChanged({ properties }: ProjectedDevice, status: DeviceStatus, changed: TwinStatus): DeviceStatus {
  const others = (status.twins ?? []).filter(({ propertyName }) => propertyName !== changed.propertyName);
  return { ...status, twins: inDeclaredOrder([...others, changed], properties) };
}

const versionOf = (value: TwinValue | undefined): string | undefined => value?.metadata?.['version'];

function twinValue(event: DeviceEvent): TwinValue {
  const time = event.deviceTime ?? event.receivedAt;
  return {
    value: event.value,
    metadata: {
      timestamp: Number.isNaN(time) ? '' : String(time),
      type: event.type,
      version: formatVersion(event.version),
    },
  };
}

/** Properties that the spec no longer declares keep their place at the end: their versions must not be forgotten. */
function inDeclaredOrder(twins: readonly TwinStatus[], declared: readonly string[]): readonly TwinStatus[] {
  const place = (twin: TwinStatus): number => {
    const found = declared.indexOf(twin.propertyName);
    return found === -1 ? declared.length : found;
  };
  return [...twins].sort((a, b) => place(a) - place(b) || (a.propertyName < b.propertyName ? -1 : 1));
}

function isNewer(version: Version, known: string | undefined): boolean {
  const before = known === undefined ? undefined : parseVersion(known);
  return before === undefined || compareVersions(version, before) > 0;
}

const momentIn = ({ livedAt }: ProjectedDevice, event: DeviceEvent): number => livedAt?.(event) ?? event.receivedAt;

/** Every sign of life counts, also an old one: the newest moment stands, whatever order they come in. */
function withLastOnline(device: ProjectedDevice, status: DeviceStatus, event: DeviceEvent): DeviceStatus {
  const moment = momentIn(device, event);
  if (!showsLife(event) || Number.isNaN(moment)) return status;
  const before = Date.parse(status.lastOnlineTime ?? '');
  // Kept in whole seconds. Most of a backlog is older than what is known: no text is made for it.
  if (Math.floor(moment / 1000) * 1000 <= before) return status;
  return { ...status, lastOnlineTime: new Date(moment).toISOString().replace(/\.\d+Z$/, 'Z') };
}

function showsLife({ kind, value, seenAt }: DeviceEvent): boolean {
  return kind === 'reported' || (kind === 'state' && (seenAt !== undefined || isAlive(value)));
}

function withSummary(device: ProjectedDevice, status: DeviceStatus): DeviceStatus {
  const values = new Map((status.twins ?? []).map((twin) => [twin.propertyName, twin.reported?.value]));
  const parts = device.properties.flatMap((name) => {
    const value = values.get(name);
    return value === undefined ? [] : [`${name}=${shortened(value, VALUE_LENGTH)}`];
  });
  const summary = shortened(parts.join(', '), SUMMARY_LENGTH);
  return summary === (status.summary ?? '') ? status : { ...status, summary };
}

function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
