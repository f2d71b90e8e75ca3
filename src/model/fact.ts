import type { DeviceId, PropertyType } from './device.ts';

/** One property's new value, as the edge stored it. */
export interface PropertyChange {
  readonly kind: 'reported' | 'observed';
  readonly property: string;
  readonly type: PropertyType;
  readonly value: string;
  readonly n: number;
  readonly deviceTime?: number;
  /** True for a property of which only the last change needs to be kept; never leaves the node. */
  readonly isCompactable?: true;
}

/** A property was removed on this node: nothing is reported of it any more, until something newer is. */
export interface RemovedChange {
  readonly kind: 'removed';
  readonly property: string;
  readonly n: number;
}

/** The device's new state (`online`, `offline`, …). */
export interface StateChange {
  readonly kind: 'state';
  readonly state: string;
  readonly n: number;
  /** When the device was last alive, where the state is not its own word. */
  readonly seenAt?: number;
  /** What the node noticed, where the state is not somebody's word; see `Evidence`. */
  readonly cause?: string;
}

/** Names facts of this chain that will never reach the stream: what a configured limit dropped or compacted (G6). */
export interface GapChange {
  readonly kind: 'gap';
  /** `bytes`, `age`: the limit that was reached. `size`: more than the stream takes as one message. `compacted`: newer values of the same properties stand for the older ones. */
  readonly reason: 'bytes' | 'age' | 'size' | 'compacted';
  /** How many changes are missing. */
  readonly changes: number;
  /** Outbox sequences of the first and last fact concerned. */
  readonly from: number;
  readonly through: number;
  /** When the first and the last of them was received, milliseconds since the epoch. */
  readonly since: number;
  readonly until: number;
}

/** Publications about the device that were refused: told seldom, and together. */
export interface RejectedChange {
  readonly kind: 'rejected';
  readonly count: number;
  /** Of the last one, as its sender was told. */
  readonly reason: string;
  /** When the first and the last of them came, milliseconds since the epoch. */
  readonly since: number;
  readonly until: number;
}

/** What somebody published for programs in the cloud: passed on as it came, and understood by nobody here. */
export interface MessageChange {
  readonly kind: 'message';
  readonly topic: string;
  readonly payload: CarriedPayload;
}

/** JSON as its text, anything else as base64. */
export type CarriedPayload = { readonly json: string } | { readonly base64: string };

/** A desired value that was set at the node over what the cloud wanted. */
export interface StandingOverride {
  readonly property: string;
  readonly value: string;
  /** The revision of the cloud's word that it was set over; 0 where the cloud wanted nothing. */
  readonly revision: number;
  readonly at: number;
}

/**
 * `CloudChanged`: the cloud said something new. `Agreed`: the cloud says the same now. `Released`: it was ended at the node.
 * `NotAllowed`: the device model does not know the property any more, or not such a value. `DeviceMoved`: bound anew meanwhile.
 */
export type OverrideEnd = 'CloudChanged' | 'Agreed' | 'Released' | 'NotAllowed' | 'DeviceMoved';

/** Values are cut after a hundred characters. */
export interface EndedOverride {
  readonly property: string;
  readonly value: string;
  readonly reason: OverrideEnd;
  /** What is desired instead, where anything is. */
  readonly desired?: string;
}

/** All local overrides of the device that stand now: a later one replaces an earlier one whole. */
export interface OverrideChange {
  readonly kind: 'override';
  readonly n: number;
  readonly standing: readonly StandingOverride[];
  readonly ended: readonly EndedOverride[];
}

export type Change =
  PropertyChange | RemovedChange | StateChange | OverrideChange | GapChange | RejectedChange | MessageChange;

/**
 * What one admitted publication changed or said: the unit that the outbox stores and the stream carries. The term is not in it: it
 * is stamped when the fact is published, under the claim held then.
 */
export type Fact = DeviceFact | NodeFact;

export type DeviceFact = FactBody & OfDevice;
/** About no device that the node knows. */
export type NodeFact = FactBody & { readonly [K in keyof OfDevice]?: undefined };

interface OfDevice {
  readonly device: DeviceId;
  readonly uid: string;
  readonly binding: number;
}

interface FactBody {
  /** When the edge received the publication, milliseconds since the epoch. */
  readonly at: number;
  readonly changes: readonly Change[];
  /** The publisher's own id of the publication, where it gave one. */
  readonly eventId?: string;
}
