// STOP 4': what the hub wants of this node. A message on the hint subject only says that something may have changed; the value
// and its revision are read from the stream, and the index says which objects count (ADR 0007).
import { backoffDelay } from '../../kit/backoff.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Deadline } from '../../kit/deadline.ts';
import { messageOf } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { sleep } from '../../kit/sleep.ts';
import { TaskGroup } from '../../kit/task-group.ts';
import { ms, seconds } from '../../kit/units.ts';
import { applyDefinition, desiredChanges } from '../../model/twin-rules.ts';
import type { DeviceDefinition } from '../../model/device.ts';
import type { Twin } from '../../model/twin.ts';
import { readLast } from '../../nats/direct-get.ts';
import type { NatsLink } from '../../nats/nats-link.ts';
import { decodeDefinition, decodeIndex, type DesiredIndex } from '../../wire/desired.ts';
import {
  bucketSubject,
  DESIRED_BUCKET,
  DESIRED_STREAM,
  desiredHints,
  indexKey,
  keyOfBucketSubject,
} from '../../wire/nats-subjects.ts';
import type { DesiredObjects, HeldObject } from '../meta/desired-objects.ts';
import type { Store } from '../store/store.ts';
import type { TwinBook } from '../twin/twin-book.ts';
import { diffIndex } from './index-diff.ts';

/** Who is told what changed, once it is on disk. */
export interface DesiredListener {
  desiredChanged(before: Twin | undefined, after: Twin, properties: readonly string[]): void;
  defined(definition: DeviceDefinition, twin: Twin): void;
  removed(definition: DeviceDefinition): void;
}

export interface DownlinkTools {
  readonly link: NatsLink;
  readonly store: Store;
  readonly objects: DesiredObjects;
  readonly twins: TwinBook;
  readonly listener: DesiredListener;
  /** Called when a newer index has been applied in full. */
  readonly onReached: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

const RETRY = { first: ms(100), most: seconds(5) };
/** Reads under way at once: a node that was away for a week has many to make. */
const READS_AT_ONCE = 32;

export class Downlink implements Service {
  readonly name = 'downlink';
  readonly #node: string;
  readonly #tools: DownlinkTools;
  readonly #tasks = new TaskGroup();
  readonly #hinted = new Set<string>();
  #wake: () => void = () => undefined;
  #problem: string | undefined = 'the desired state was not compared yet';

  constructor(config: { readonly node: string }, tools: DownlinkTools) {
    this.#node = config.node;
    this.#tools = tools;
  }

  get ended(): Promise<unknown> {
    return this.#tasks.ended;
  }

  start(_signal: AbortSignal): Promise<void> {
    const { link } = this.#tools;
    const ownIndex = indexKey(this.#node);
    link.subscribe(desiredHints(this.#node), (message) => {
      this.#hint(keyOfBucketSubject(DESIRED_BUCKET, message.subject) ?? ownIndex);
    });
    link.onConnected(() => {
      this.#hint(ownIndex);
    });
    this.#tasks.signal.addEventListener('abort', () => this.#wake(), { once: true });
    this.#tasks.run('follow', (signal) => this.#follow(signal));
    return Promise.resolve();
  }

  async stop(deadline: Deadline): Promise<void> {
    await this.#tasks.close(deadline);
  }

  health(): Health {
    return this.#problem === undefined ? HEALTHY : { state: 'degraded', reason: this.#problem };
  }

  #hint(key: string): void {
    this.#hinted.add(key);
    this.#wake();
  }

  async #follow(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted;) {
      if (this.#hinted.size === 0 || !this.#tools.link.connected) await this.#untilHinted(signal);
      else attempt = (await this.#takeHints()) ? 0 : attempt + 1;
      if (attempt > 0) await sleep(backoffDelay(RETRY, attempt - 1), signal);
    }
  }

  #untilHinted(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (signal.aborted) resolve();
    });
  }

  /** False when the link failed on the way: the index is asked again then. */
  async #takeHints(): Promise<boolean> {
    const hinted = [...this.#hinted];
    this.#hinted.clear();
    const ownIndex = indexKey(this.#node);
    try {
      await this.#readObjects(hinted.filter((key) => key !== ownIndex));
      if (hinted.includes(ownIndex)) await this.#compareWithIndex();
      this.#problem = undefined;
      return true;
    } catch (error) {
      this.#problem = messageOf(error);
      this.#tools.logger.debug({ reason: this.#problem }, 'desired state not read');
      this.#hinted.add(ownIndex);
      return false;
    }
  }

  async #compareWithIndex(): Promise<void> {
    const { link, objects, store, onReached, logger } = this.#tools;
    const last = await readLast(link, DESIRED_STREAM, bucketSubject(DESIRED_BUCKET, indexKey(this.#node)));
    const index = last === undefined ? undefined : decodeIndex(last.data);
    if (index === undefined || isReached(index, objects.position)) return;
    const diff = diffIndex(index, { bucket: objects.position.bucket, revisions: objects.revisions() });
    // Revisions of a bucket that was made anew may be the old ones by chance.
    const isRemade = objects.position.bucket !== '' && objects.position.bucket !== index.bucket;
    await this.#readObjects(diff.read, isRemade);
    for (const key of diff.remove) await this.#remove(key);
    const { bucket, generation } = index;
    await store.commit((tx) => {
      objects.reached(tx, { bucket, generation });
    });
    logger.info({ generation, read: diff.read.length, removed: diff.remove.length }, 'desired state reached');
    onReached();
  }

  async #readObjects(keys: readonly string[], isRemade = false): Promise<void> {
    for (let first = 0; first < keys.length; first += READS_AT_ONCE) {
      await Promise.all(keys.slice(first, first + READS_AT_ONCE).map((key) => this.#readObject(key, isRemade)));
    }
  }

  async #readObject(key: string, isRemade: boolean): Promise<void> {
    const { link, objects, logger } = this.#tools;
    const last = await readLast(link, DESIRED_STREAM, bucketSubject(DESIRED_BUCKET, key));
    // Absent or deleted: the index says so too, and it alone removes.
    if (last === undefined || last.operation !== undefined) return;
    if (!isRemade && objects.held(key)?.revision === last.sequence) return;
    const definition = decodeDefinition(last.data);
    if (definition === undefined)
      logger.error({ key, revision: last.sequence }, 'desired object not understood; skipped');
    await this.#apply({ key, revision: last.sequence, ...(definition === undefined ? {} : { definition }) });
  }

  /** Object, revision and twin in one commit; told to MQTT once it is on disk. */
  async #apply(held: HeldObject): Promise<void> {
    const { store, objects, twins, listener, clock } = this.#tools;
    await store.commit((tx) => {
      const previous = objects.held(held.key)?.definition;
      const { definition: next, revision } = held;
      // What is not understood takes nothing away: the device is served on as it was.
      objects.put(tx, next === undefined && previous !== undefined ? { ...held, definition: previous } : held);
      if (next === undefined) return;
      const before = twins.current(tx, next);
      const after = applyDefinition(before, { previous, next, revision }, clock.now());
      twins.change(tx, after);
      tx.afterCommit(() => {
        if (previous !== undefined && isOther(previous, next)) listener.removed(previous);
        listener.desiredChanged(before, after, desiredChanges(before, after));
        listener.defined(next, after);
      });
    });
  }

  async #remove(key: string): Promise<void> {
    const { store, objects, twins, listener } = this.#tools;
    await store.commit((tx) => {
      const definition = objects.held(key)?.definition;
      objects.remove(tx, key);
      if (definition === undefined) return;
      twins.remove(tx, definition);
      tx.afterCommit(() => {
        listener.removed(definition);
      });
    });
  }
}

/** Another mapper's, or another device of the same name. */
const isOther = (previous: DeviceDefinition, next: DeviceDefinition): boolean =>
  previous.protocol !== next.protocol || previous.uid !== next.uid;

function isReached(index: DesiredIndex, position: { readonly bucket: string; readonly generation: number }): boolean {
  return index.bucket === position.bucket && index.generation === position.generation;
}
