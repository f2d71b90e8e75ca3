import type { DeviceId, PropertyType } from './device.ts';

/** One property's new value, as the edge stored it. */
export interface PropertyChange {
  readonly kind: 'reported' | 'observed';
  readonly property: string;
  readonly type: PropertyType;
  readonly value: string;
  readonly n: number;
  readonly deviceTime?: number;
}

/** The device's new state (`online`, `offline`, …). */
export interface StateChange {
  readonly kind: 'state';
  readonly state: string;
  readonly n: number;
}

export type Change = PropertyChange | StateChange;

/**
 * What one admitted publication changed about one device: the unit that the outbox stores and the stream carries. The term is
 * not in it: it is stamped when the fact is published, under the claim held then.
 */
export interface Fact {
  readonly device: DeviceId;
  readonly uid: string;
  readonly binding: number;
  /** When the edge received the publication, milliseconds since the epoch. */
  readonly at: number;
  readonly changes: readonly Change[];
  /** The publisher's own id of the publication, where it gave one. */
  readonly eventId?: string;
}
