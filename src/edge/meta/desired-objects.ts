// MetaManager: this node's copy of every object the hub wants here, with the revision each came with. It survives restarts, so
// a node that starts offline knows its devices.
import type { DeviceDefinition, DeviceId } from '../../model/device.ts';
import { deviceKey } from '../../model/device.ts';
import type { Store } from '../store/store.ts';
import { jsonTable } from '../store/store-layout.ts';
import type { Transaction } from '../store/transaction.ts';

/** An object of the desired bucket as held here. `definition` is absent when its bytes could not be understood. */
export interface HeldObject {
  readonly key: string;
  readonly revision: number;
  /** Of the bytes that were read, also where they could not be understood. */
  readonly fingerprint: string;
  readonly definition?: DeviceDefinition;
}

export interface IndexPosition {
  readonly bucket: string;
  readonly generation: number;
}

const OBJECTS = jsonTable<HeldObject>('object');
const POSITION = jsonTable<IndexPosition>('index');

export class DesiredObjects {
  readonly #byKey = new Map<string, HeldObject>();
  readonly #byDevice = new Map<string, DeviceDefinition>();
  #position: IndexPosition = { bucket: '', generation: 0 };

  async load(store: Store): Promise<void> {
    this.#byKey.clear();
    this.#byDevice.clear();
    for await (const [, held] of store.all(OBJECTS)) this.#keep(held);
    this.#position = (await store.get(POSITION, '')) ?? this.#position;
  }

  /** The newest index generation that this node has applied in full. */
  get position(): IndexPosition {
    return this.#position;
  }

  device(id: DeviceId): DeviceDefinition | undefined {
    return this.#byDevice.get(deviceKey(id));
  }

  devices(): IterableIterator<DeviceDefinition> {
    return this.#byDevice.values();
  }

  held(key: string): HeldObject | undefined {
    return this.#byKey.get(key);
  }

  /** Key → fingerprint of everything held. */
  fingerprints(): ReadonlyMap<string, string> {
    return new Map([...this.#byKey].map(([key, { fingerprint }]) => [key, fingerprint]));
  }

  put(tx: Transaction, held: HeldObject): void {
    tx.put(OBJECTS, held.key, held);
    tx.afterCommit(() => {
      this.#forget(held.key);
      this.#keep(held);
    });
  }

  remove(tx: Transaction, key: string): void {
    tx.remove(OBJECTS, key);
    tx.afterCommit(() => {
      this.#forget(key);
    });
  }

  reached(tx: Transaction, position: IndexPosition): void {
    tx.put(POSITION, '', position);
    tx.afterCommit(() => {
      this.#position = position;
    });
  }

  #keep(held: HeldObject): void {
    this.#byKey.set(held.key, held);
    if (held.definition !== undefined) this.#byDevice.set(deviceKey(held.definition), held.definition);
  }

  #forget(key: string): void {
    const definition = this.#byKey.get(key)?.definition;
    this.#byKey.delete(key);
    if (definition !== undefined) this.#byDevice.delete(deviceKey(definition));
  }
}
