// Reading: one object, or a page of a list. What is past its time to live is not there any more, stored or not.
import type { Clock } from '../../kit/clock.ts';
import { valueAt, type KubeObject } from '../json.ts';
import type { ResourceKind } from '../kinds/resource-kind.ts';
import { isSelected, selectableOf, type Selector } from '../rules/selector.ts';
import { asServed } from '../rules/versions.ts';
import { notFound } from '../status.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { Address } from '../storage/store-keys.ts';
import { addressOf, type Place } from './place.ts';

export interface ListQuery {
  readonly kind: ResourceKind;
  /** Absent: all namespaces. */
  readonly namespace: string | undefined;
  readonly selector: Selector;
  /** 0: no limit. */
  readonly limit: number;
  readonly after: Address | undefined;
}

export interface Page {
  readonly revision: number;
  readonly objects: readonly KubeObject[];
  /** Where the next page starts; absent on the last one. */
  readonly next: Address | undefined;
}

export class ObjectReader {
  readonly #store: ObjectStore;
  readonly #clock: Clock;

  constructor(tools: { readonly store: ObjectStore; readonly clock: Clock }) {
    this.#store = tools.store;
    this.#clock = tools.clock;
  }

  get(place: Place): KubeObject {
    const found = this.#store.get(addressOf(place));
    if (found === undefined || this.#isOver(place.kind, found)) throw notFound(place.kind, place.name);
    return asServed(place.kind, found);
  }

  async page({ kind, namespace, selector, limit, after }: ListQuery): Promise<Page> {
    const snapshot = this.#store.snapshot();
    const objects: KubeObject[] = [];
    const options = { ...(namespace === undefined ? {} : { namespace }), ...(after === undefined ? {} : { after }) };
    try {
      for await (const stored of snapshot.scan(kind.collection, options)) {
        if (this.#isOver(kind, stored) || !isSelected(selector, selectableOf(kind, stored))) continue;
        if (limit > 0 && objects.length === limit) {
          return { revision: snapshot.revision, objects, next: addressOfObject(kind, objects.at(-1)) };
        }
        objects.push(asServed(kind, stored));
      }
      return { revision: snapshot.revision, objects, next: undefined };
    } finally {
      await snapshot.close();
    }
  }

  /** Objects of a kind that are past their time to live, at most `limit` of them. */
  async expired(kind: ResourceKind, limit: number): Promise<readonly Place[]> {
    const snapshot = this.#store.snapshot();
    const places: Place[] = [];
    try {
      for await (const stored of snapshot.scan(kind.collection, {})) {
        if (places.length === limit) break;
        const { namespace = '', name } = stored.metadata;
        if (this.#isOver(kind, stored)) places.push({ kind, namespace, name });
      }
    } finally {
      await snapshot.close();
    }
    return places;
  }

  #isOver({ timeToLive }: ResourceKind, object: KubeObject): boolean {
    return timeToLive !== undefined && this.#clock.now() - lastTouched(object) > timeToLive;
  }
}

function addressOfObject(kind: ResourceKind, object: KubeObject | undefined): Address | undefined {
  if (object === undefined) return undefined;
  const { namespace = '', name } = object.metadata;
  return { collection: kind.collection, namespace, name };
}

/** The newest time that the object names; its creation time at least. */
function lastTouched(object: KubeObject): number {
  const times = [
    object.metadata.creationTimestamp,
    object['lastTimestamp'],
    valueAt(object, ['series', 'lastObservedTime']),
  ];
  return Math.max(0, ...times.map((time) => (typeof time === 'string' ? Date.parse(time) || 0 : 0)));
}
