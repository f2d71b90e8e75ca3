// Makes an object of the bucket this node's: object, revision and twin in one commit, and whoever serves the device is told once it
// is on disk.
import type { Clock } from '../../kit/clock.ts';
import { applyDefinition, desiredChanges } from '../../model/desired-rules.ts';
import type { DeviceDefinition } from '../../model/device.ts';
import type { Change } from '../../model/fact.ts';
import type { Twin } from '../../model/twin.ts';
import type { DesiredObjects, HeldObject } from '../meta/desired-objects.ts';
import type { Store } from '../store/store.ts';
import type { Transaction } from '../store/transaction.ts';
import type { TwinBook } from '../twin/twin-book.ts';

/** Who is told what changed, once it is on disk. */
export interface DesiredListener {
  desiredChanged(before: Twin | undefined, after: Twin, properties: readonly string[]): void;
  defined(definition: DeviceDefinition, twin: Twin): void;
  removed(definition: DeviceDefinition): void;
  /** A device that was not of this node before. */
  joined(definition: DeviceDefinition, twin: Twin): void;
  left(definition: DeviceDefinition): void;
}

export interface DesiredKeeperTools {
  readonly store: Store;
  readonly objects: DesiredObjects;
  readonly twins: Pick<TwinBook, 'current' | 'remove'>;
  /** Stores the twin, and what the cloud is to be told of it. */
  readonly keep: (tx: Transaction, twin: Twin, changes: readonly Change[], at: number) => void;
  readonly listener: DesiredListener;
  readonly clock: Clock;
}

export class DesiredKeeper {
  readonly #tools: DesiredKeeperTools;

  constructor(tools: DesiredKeeperTools) {
    this.#tools = tools;
  }

  /** Object, revision and twin in one commit; told to MQTT once it is on disk. */
  async put(held: HeldObject): Promise<void> {
    const { store, objects, twins, listener, clock, keep } = this.#tools;
    await store.commit((tx) => {
      const previous = objects.held(held.key)?.definition;
      const { definition: next, revision } = held;
      // What is not understood takes nothing away: the device is served on as it was.
      objects.put(tx, next === undefined && previous !== undefined ? { ...held, definition: previous } : held);
      if (next === undefined) return;
      const before = twins.current(tx, next);
      const now = clock.now();
      const { twin: after, changes } = applyDefinition(before, { previous, next, revision }, now);
      keep(tx, after, changes, now);
      tx.afterCommit(() => {
        if (previous !== undefined && isOther(previous, next)) listener.removed(previous);
        const isNew = previous?.uid !== next.uid;
        if (isNew && previous !== undefined) listener.left(previous);
        if (isNew) listener.joined(next, after);
        listener.desiredChanged(before, after, desiredChanges(before, after));
        listener.defined(next, after);
      });
    });
  }

  /** The object, and the twin that was of it. */
  async remove(key: string): Promise<void> {
    const { store, objects, twins, listener } = this.#tools;
    await store.commit((tx) => {
      const definition = objects.held(key)?.definition;
      objects.remove(tx, key);
      if (definition === undefined) return;
      twins.remove(tx, definition);
      tx.afterCommit(() => {
        listener.removed(definition);
        listener.left(definition);
      });
    });
  }
}

/** Another mapper's, or another device of the same name. */
const isOther = (previous: DeviceDefinition, next: DeviceDefinition): boolean =>
  previous.protocol !== next.protocol || previous.uid !== next.uid;
