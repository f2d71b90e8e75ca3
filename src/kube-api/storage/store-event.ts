import type { JsonObject, KubeObject } from '../json.ts';
import type { Collection } from './store-keys.ts';

/** What selectors look at; the log keeps it of the state before a change, so that leaving a selector can be seen later. */
export interface Selectable {
  readonly labels: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, string>>;
}

export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** One committed change, in the order of revisions. */
export interface StoreEvent {
  readonly type: ChangeType;
  readonly revision: number;
  readonly collection: Collection;
  /** The object after the change; for a deletion its last state, carrying the revision of the deletion. */
  readonly object: KubeObject;
  /** Absent for ADDED. */
  readonly before?: Selectable;
}

/** The stored form of an event; revision and collection stand in the key. */
export function encodeEvent(event: StoreEvent, objectText: string): string {
  const before = event.before === undefined ? '' : `"before":${JSON.stringify(event.before)},`;
  return `{"type":"${event.type}",${before}"object":${objectText}}`;
}

export function decodeEvent(text: string, revision: number, collection: Collection): StoreEvent {
  const stored = JSON.parse(text) as JsonObject as unknown as Omit<StoreEvent, 'revision' | 'collection'>;
  return { ...stored, revision, collection };
}
