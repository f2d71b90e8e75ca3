import type { DeviceId, PropertyType } from './device.ts';

/** What the device said last. Times in milliseconds since the epoch. */
export interface Reported {
  readonly value: string;
  /** Counts the changes of this property's reported value in this store; see `Version`. */
  readonly n: number;
  /** When the edge received it. */
  readonly at: number;
  /** What the device's own clock said, where it said anything. */
  readonly deviceTime?: number;
  /** Of sampled properties: `n` of the last value that became a fact, and when it did. */
  readonly told?: { readonly n: number; readonly at: number };
}

/** What the property should be. */
export interface Desired {
  readonly value: string;
  /** Counts the changes of this property's desired value on this node. */
  readonly n: number;
  readonly at: number;
  /** The revision of the cloud object this value came with, or was set over. */
  readonly revision: number;
  /** `local`: set at the edge over what the cloud wanted at `revision`. */
  readonly origin: 'cloud' | 'local';
}

/** The desired value that the device's side has confirmed seeing. */
export interface ObservedDesired {
  readonly value: string;
  readonly n: number;
  readonly at: number;
}

/** A property without values stays for what is said of it beside them; see `isThere`. */
export interface TwinProperty {
  readonly type: PropertyType;
  /** How the client that made the property spells the type, where its word is not the usual one (`integer`). */
  readonly typeName?: string;
  /** A client has made it without a value. */
  readonly isNamed?: true;
  /** False: a client has said that it may not be removed. */
  readonly optional?: false;
  /** It was removed: its versions go on above this one, so that what comes back is newer than all that was. */
  readonly floor?: number;
  readonly reported?: Reported;
  readonly desired?: Desired;
  readonly observedDesired?: ObservedDesired;
  /** Where nothing is desired any more: what `n` had come to by then, so that later values are newer, and since when. */
  readonly undesired?: { readonly n: number; readonly at: number };
}

/** Our belief about one device. Immutable: a change makes a new twin. */
export interface Twin extends DeviceId {
  readonly uid: string;
  readonly binding: number;
  readonly properties: Readonly<Record<string, TwinProperty>>;
  /** Above the versions of all removed properties that are not remembered one by one; properties new here begin above it. */
  readonly floor?: number;
  /** `online`, `offline`, …: what the device, or its silence, last said of itself. */
  readonly state?: DeviceState;
  /** Absent where nobody at this node ever wanted something else than the cloud. */
  readonly overrides?: Overrides;
}

/** The local overrides that stand, by the names of their properties. */
export interface Overrides {
  readonly properties: readonly string[];
  /** Counts the changes of what stands. */
  readonly n: number;
  readonly at: number;
}

export interface DeviceState {
  readonly state: string;
  /** Counts the changes of the state in this store; see `Version`. */
  readonly n: number;
  /** Since when it is this. */
  readonly at: number;
  /** When the device was last alive, by its state or its connection; its values say the rest. */
  readonly seenAt?: number;
  /** The client whose connection vouches for it. A start of the node that does not see it again takes it for lost. */
  readonly client?: string;
}

export function emptyTwin(device: DeviceId & { readonly uid: string; readonly binding: number }): Twin {
  const { namespace, name, uid, binding } = device;
  return { namespace, name, uid, binding, properties: {} };
}

/** False for what only the device model names, and for what was removed: KubeEdge's clients do not see it. */
export function isThere({ reported, desired, observedDesired, isNamed }: TwinProperty): boolean {
  return reported !== undefined || desired !== undefined || observedDesired !== undefined || isNamed === true;
}
