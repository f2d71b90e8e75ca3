/** Which device: its Kubernetes namespace and name. */
export interface DeviceId {
  readonly namespace: string;
  readonly name: string;
}

/** Value types of KubeEdge's DeviceModel, in its spelling, and `JSON` for objects and arrays. */
export const PROPERTY_TYPES = ['INT', 'FLOAT', 'DOUBLE', 'STRING', 'BOOLEAN', 'BYTES', 'STREAM', 'JSON'] as const;
export type PropertyType = (typeof PROPERTY_TYPES)[number];

/**
 * How much of a property's history must reach the cloud; its newest value always does. `changes`: every change of value.
 * `all`: every report, repeated values too. `last`: older changes may be compacted while they wait and room is short.
 * `sampledEvery`: at most one change in so many milliseconds.
 */
export type Keep = 'changes' | 'all' | 'last' | { readonly sampledEvery: number };

export interface PropertyDefinition {
  readonly name: string;
  readonly type: PropertyType;
  readonly accessMode: 'ReadWrite' | 'ReadOnly';
  /** Limits as the DeviceModel writes them: decimal text. */
  readonly minimum?: string;
  readonly maximum?: string;
  readonly unit?: string;
  /** What the cloud wants this property to be. */
  readonly desired?: string;
  /** How a mapper reaches the property; opaque here. */
  readonly visitors?: unknown;
  readonly collectCycle?: number;
  readonly reportCycle?: number;
  /** Default `changes`. */
  readonly keep?: Keep;
  /** `telemetry`: the first to be dropped where the outbox is full. */
  readonly class?: 'telemetry';
}

/**
 * A Device merged with its DeviceModel: everything a node needs to serve that device. `uid` tells a re-created device from its
 * predecessor of the same name; `binding` counts how often the device was bound to a node, so that facts of an earlier binding
 * are recognised as old.
 */
export interface DeviceDefinition extends DeviceId {
  readonly uid: string;
  readonly binding: number;
  readonly description?: string;
  readonly protocol: string;
  readonly protocolConfig?: unknown;
  readonly properties: readonly PropertyDefinition[];
  /** Milliseconds of silence after which nobody knows how the device is; absent: silence says nothing. */
  readonly staleAfter?: number;
}

export const declaredNames = ({ properties }: DeviceDefinition): ReadonlySet<string> =>
  new Set(properties.map(({ name }) => name));

/** `<namespace>/<name>`: the device in logs, keys and KubeEdge payloads. */
export function deviceKey(device: DeviceId): string {
  return `${device.namespace}/${device.name}`;
}

export function parseDeviceKey(key: string): DeviceId {
  const [first = '', second] = key.split('/', 2);
  return second === undefined ? { namespace: 'default', name: first } : { namespace: first, name: second };
}
