// Our custom resources as the API server holds them. Its schemas (deploy/crds) have checked what is declared here.
import type { DeviceId, PropertyType } from '../../model/device.ts';
import { asObject, asString, type JsonObject } from '../../wire/json.ts';

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

export interface Visitors {
  readonly protocolName?: string;
  readonly configData?: JsonObject;
}

/** How much of a property's history a node keeps for the cloud; words as `src/model/keep.ts` reads them. */
export interface HistoryWords {
  readonly keep?: string;
  readonly class?: string;
}

export interface DeviceProperty extends HistoryWords {
  readonly name: string;
  readonly desired?: { readonly value: string; readonly metadata?: Readonly<Record<string, string>> };
  readonly visitors?: Visitors;
  readonly reportCycle?: number;
  readonly collectCycle?: number;
}

export interface DeviceSpec {
  readonly deviceModelRef?: { readonly name?: string };
  readonly nodeName?: string;
  readonly properties?: readonly DeviceProperty[];
  readonly protocol?: Visitors;
  readonly staleAfter?: string;
}

export interface TwinValue {
  readonly value: string;
  /** `version` (`<binding>.<term>.<n>`), `timestamp` (milliseconds, text), `type`. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface TwinStatus {
  readonly propertyName: string;
  readonly reported?: TwinValue;
  readonly observedDesired?: TwinValue;
  /** `<binding>.<term>.<n>` of its last removal at the node: older values are gone. */
  readonly removedVersion?: string;
}

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
}

/** To which node the device is bound, and how often it was bound anew. */
export interface DeviceBinding {
  readonly nodeName: string;
  readonly generation: number;
}

/** A desired value that the node holds on to, over the spec's. */
export interface OverriddenProperty {
  readonly propertyName: string;
  readonly value: string;
  /** When it was set there. */
  readonly since: string;
}

/** Fields that other programs keep in the status are carried along untouched. */
export interface DeviceStatus {
  readonly binding?: DeviceBinding;
  readonly state?: string;
  readonly stateVersion?: string;
  /** What the node said last, while nobody hears it and `state` is `unknown`. */
  readonly stateBefore?: string;
  readonly lastOnlineTime?: string;
  readonly summary?: string;
  readonly twins?: readonly TwinStatus[];
  /** The newest word of the node; `properties` are those that stand. */
  readonly overrides?: { readonly version: string; readonly properties?: readonly OverriddenProperty[] };
  readonly conditions?: readonly Condition[];
}

export interface DeviceResource extends KubeObject {
  readonly spec: DeviceSpec;
  readonly status?: DeviceStatus;
}

export interface ModelProperty extends HistoryWords {
  readonly name: string;
  readonly type: PropertyType;
  readonly accessMode?: 'ReadWrite' | 'ReadOnly';
  readonly minimum?: string;
  readonly maximum?: string;
  readonly unit?: string;
  readonly visitors?: Visitors;
}

export interface DeviceModelResource extends KubeObject {
  readonly spec: {
    readonly protocol?: string;
    readonly protocolConfigData?: JsonObject;
    readonly staleAfter?: string;
    readonly properties?: readonly ModelProperty[];
  };
}

export const DEVICE_API = '/apis/devices.kubeedge.io/v1beta1';
export const DEVICES_PATH = `${DEVICE_API}/devices`;
export const DEVICE_MODELS_PATH = `${DEVICE_API}/devicemodels`;

export function devicePath(device: DeviceId): string {
  return `${DEVICE_API}/namespaces/${device.namespace}/devices/${device.name}`;
}

export function deviceIdOf(object: KubeObject): DeviceId {
  return { namespace: object.metadata.namespace ?? 'default', name: object.metadata.name };
}

/** `<namespace>/<name>`, or `<name>` of a cluster-wide object. */
export function objectKey(object: KubeObject): string {
  const { namespace, name } = object.metadata;
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** The metadata without the server's bookkeeping of who set which field, which is long and of no use here. */
export function metadataOf(raw: JsonObject): JsonObject {
  const fields = Object.entries(asObject(raw['metadata']) ?? {});
  return Object.fromEntries(fields.filter(([name]) => name !== 'managedFields'));
}

/** An object of the API server, without its bookkeeping of fields; `undefined` for what has no name, uid and version. */
export function kubeObjectFrom<T extends KubeObject>(
  raw: JsonObject,
  kind: Pick<T, 'apiVersion' | 'kind'>,
): T | undefined {
  const metadata = metadataOf(raw);
  const isComplete = ['name', 'uid', 'resourceVersion'].every((field) => asString(metadata[field]) !== undefined);
  // List items carry neither apiVersion nor kind.
  return isComplete ? ({ spec: {}, ...raw, ...kind, metadata } as unknown as T) : undefined;
}

/** Key of the DeviceModel that a Device names, as the watch of models knows it. */
export const modelKeyOf = (device: DeviceResource): string =>
  `${device.metadata.namespace ?? 'default'}/${device.spec.deviceModelRef?.name ?? ''}`;
