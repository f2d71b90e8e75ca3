// What a watch knows of one collection, and the events that follow from each list, watch event and answer to a write. Pure.
import { objectKey, type KubeObject } from './resources.ts';

export type ResourceEvent<T> =
  | { readonly kind: 'present'; readonly object: T; readonly before: T | undefined }
  | { readonly kind: 'gone'; readonly object: T }
  /** A complete list has been worked in: what is not known now does not exist. `count` grows with each. */
  | { readonly kind: 'synced'; readonly count: number };

export class ResourceCache<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  #lists = 0;

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  values(): IterableIterator<T> {
    return this.#objects.values();
  }

  /** How many complete lists have been worked in. */
  get lists(): number {
    return this.#lists;
  }

  replaceAll(listed: readonly T[]): readonly ResourceEvent<T>[] {
    const keys = new Set(listed.map(objectKey));
    const gone = [...this.#objects.entries()].filter(([key]) => !keys.has(key));
    for (const [key] of gone) this.#objects.delete(key);
    this.#lists += 1;
    return [
      ...gone.map(([, object]): ResourceEvent<T> => ({ kind: 'gone', object })),
      ...listed.flatMap((object) => this.put(object)),
      { kind: 'synced', count: this.#lists },
    ];
  }

  /** An older state of an object that is already known newer changes nothing: answers to our writes overtake the watch. */
  put(object: T): readonly ResourceEvent<T>[] {
    const before = this.#objects.get(objectKey(object));
    if (before !== undefined && before.metadata.uid === object.metadata.uid && !isNewer(object, before)) return [];
    this.#objects.set(objectKey(object), object);
    return [{ kind: 'present', object, before }];
  }

  /** The answer to a write or a read of our own: never brings back what the watch saw go. */
  refresh(object: T): readonly ResourceEvent<T>[] {
    const before = this.#objects.get(objectKey(object));
    return before?.metadata.uid === object.metadata.uid ? this.put(object) : [];
  }

  remove(object: T): readonly ResourceEvent<T>[] {
    const known = this.#objects.get(objectKey(object));
    if (known?.metadata.uid !== object.metadata.uid) return [];
    this.#objects.delete(objectKey(object));
    return [{ kind: 'gone', object: known }];
  }
}

/** Versions of one collection are decimal and comparable (Kubernetes ≥ 1.35 promises it); others only differ. */
function isNewer(object: KubeObject, before: KubeObject): boolean {
  const [next, last] = [object.metadata.resourceVersion, before.metadata.resourceVersion];
  if (!/^\d+$/.test(next) || !/^\d+$/.test(last)) return next !== last;
  return next.length === last.length ? next > last : next.length > last.length;
}
