// All objects, one revision counter and the watch log, in one LevelDB. A write is decided synchronously against the newest
// state (durable or on its way), so writers need no locks; writes that arrive while the disk works share the next fsync. What
// a reader or watcher sees is durable. This file knows keys and batches; it must never hold a rule about Kubernetes objects.
import { kubeApiErrors } from '../errors.ts';
import type { JsonObject, KubeObject } from '../json.ts';
import type { Database } from './level-database.ts';
import { decodeEvent, encodeEvent, type Selectable, type StoreEvent } from './store-event.ts';
import { LogWindow, type LogLimits } from './log-window.ts';
import {
  type Address,
  type Collection,
  FORMAT_KEY,
  REVISION_KEY,
  collectionRange,
  logKey,
  logKeyOf,
  logRange,
  objectKey,
} from './store-keys.ts';

/** What a writer decides, having seen the newest state of the object. */
export type Change =
  | { readonly kind: 'put'; readonly object: KubeObject; readonly before?: Selectable }
  | { readonly kind: 'remove'; readonly object: KubeObject; readonly before: Selectable }
  /** Nothing changes; no revision is used. */
  | { readonly kind: 'keep'; readonly object: KubeObject };

export type Decide = (current: KubeObject | undefined) => Change;
export type StoreListener = (event: StoreEvent) => void;

export interface ScanOptions {
  readonly namespace?: string;
  /** Start behind this object (paging). */
  readonly after?: Address;
}

/** A view of one moment. Close it, or the database keeps the old state. */
export interface Snapshot {
  readonly revision: number;
  scan(collection: Collection, options: ScanOptions): AsyncGenerator<KubeObject, void, undefined>;
  close(): Promise<void>;
}

interface Write {
  readonly key: string;
  readonly text: string | undefined;
  readonly event: StoreEvent;
  readonly log: readonly [key: string, value: string];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const FORMAT = '1';

export class ObjectStore {
  /** Resolves with the error that made the store stop taking writes. Never rejects. */
  readonly failed: Promise<unknown>;
  readonly #database: Database;
  readonly #window: LogWindow;
  readonly #listeners = new Set<StoreListener>();
  readonly #pending = new Map<string, Write>();
  #queue: Write[] = [];
  #flushing: Promise<void> | undefined;
  #assigned = 0;
  #committed = 0;
  #failure: Error | undefined;
  #fail!: (error: unknown) => void;

  private constructor(database: Database, limits: LogLimits) {
    this.#database = database;
    this.#window = new LogWindow(limits);
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
  }

  static async open(database: Database, limits: LogLimits): Promise<ObjectStore> {
    const store = new ObjectStore(database, limits);
    const format = await database.get(FORMAT_KEY);
    if (format === undefined) await database.put(FORMAT_KEY, FORMAT, { sync: true });
    else if (format !== FORMAT) {
      throw kubeApiErrors.KUBE_API_STORE_UNREADABLE({ directory: database.location }, new Error(`format ${format}`));
    }
    store.#assigned = store.#committed = Number((await database.get(REVISION_KEY)) ?? '0');
    for await (const key of database.keys(logRange(0, store.#committed))) store.#window.push(logKeyOf(key));
    return store;
  }

  /** The revision of the newest durable change. */
  get revision(): number {
    return this.#committed;
  }

  /** The object as it is on disk. */
  get(address: Address): KubeObject | undefined {
    return parse(this.#database.getSync(objectKey(address)));
  }

  /** The newest state, durable or on its way: what a write would be decided against. */
  peek(address: Address): KubeObject | undefined {
    const key = objectKey(address);
    const pending = this.#pending.get(key);
    return parse(pending === undefined ? this.#database.getSync(key) : pending.text);
  }

  /**
   * Lets `decide` see the newest state and stores what it answers. Resolves with the stored object once it is on disk and every
   * listener has heard of it. What `decide` throws is thrown here and changes nothing.
   */
  async write(address: Address, decide: Decide): Promise<KubeObject> {
    if (this.#failure !== undefined) throw this.#failure;
    const change = decide(this.peek(address));
    if (change.kind === 'keep') {
      if (this.#pending.has(objectKey(address))) await this.#flushing;
      return change.object;
    }
    const event = this.#eventOf(address, change);
    await new Promise<void>((resolve, reject) => {
      this.#enqueue(writeOf(address, event, { resolve, reject }));
    });
    return event.object;
  }

  /** Called in revision order for every durable change, before its writer hears. Answers with the way to stop. */
  subscribe(listener: StoreListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** False when changes after `revision` are no longer in the log. */
  remembers(revision: number): boolean {
    return this.#window.reaches(revision, this.#committed);
  }

  /** The changes of one collection with `after < revision <= through`. */
  async *changes(collection: Collection, after: number, through: number): AsyncGenerator<StoreEvent, void, undefined> {
    for await (const [key, value] of this.#database.iterator(logRange(after, through))) {
      const entry = logKeyOf(key);
      if (entry.collection === collection) yield decodeEvent(value, entry.revision, collection);
    }
  }

  snapshot(): Snapshot {
    const database = this.#database;
    const snapshot = database.snapshot();
    return {
      revision: Number(database.getSync(REVISION_KEY, { snapshot }) ?? '0'),
      async *scan(collection, { namespace, after }) {
        const { gte, lt } = collectionRange(collection, namespace);
        const start = after === undefined ? { gte } : { gt: objectKey(after) };
        for await (const text of database.values({ ...start, lt, snapshot })) yield JSON.parse(text) as KubeObject;
      },
      close: () => snapshot.close(),
    };
  }

  async close(): Promise<void> {
    await this.#flushing;
    await this.#database.close();
  }

  #eventOf({ collection }: Address, change: Exclude<Change, { kind: 'keep' }>): StoreEvent {
    this.#assigned += 1;
    const revision = this.#assigned;
    const metadata = { ...change.object.metadata, resourceVersion: String(revision) };
    const stored = { revision, collection, object: { ...change.object, metadata } };
    if (change.before === undefined) return { type: 'ADDED', ...stored };
    return { type: change.kind === 'put' ? 'MODIFIED' : 'DELETED', ...stored, before: change.before };
  }

  #enqueue(write: Write): void {
    this.#queue.push(write);
    this.#pending.set(write.key, write);
    this.#flushing ??= this.#flush();
  }

  async #flush(): Promise<void> {
    while (this.#queue.length > 0) {
      const writes = this.#queue;
      this.#queue = [];
      try {
        await this.#database.batch(this.#operationsOf(writes), { sync: true });
      } catch (error) {
        this.#breakDown(error, writes);
        break;
      }
      for (const write of writes) this.#settle(write);
    }
    this.#flushing = undefined;
  }

  #operationsOf(writes: readonly Write[]) {
    const puts = writes.flatMap(({ key, text, log }) => [
      text === undefined ? ({ type: 'del', key } as const) : ({ type: 'put', key, value: text } as const),
      { type: 'put', key: log[0], value: log[1] } as const,
    ]);
    for (const { log } of writes) this.#window.push(logKeyOf(log[0]));
    const forgotten = this.#window.trim().map((key) => ({ type: 'del', key: logKey(key) }) as const);
    const revision = String(writes.at(-1)?.event.revision ?? this.#committed);
    return [...puts, ...forgotten, { type: 'put', key: REVISION_KEY, value: revision } as const];
  }

  #settle(write: Write): void {
    this.#committed = write.event.revision;
    if (this.#pending.get(write.key) === write) this.#pending.delete(write.key);
    for (const listener of this.#listeners) listener(write.event);
    write.resolve();
  }

  /** After a failed batch nobody knows what is on disk: every write on its way is refused, and all later ones. */
  #breakDown(error: unknown, writes: readonly Write[]): void {
    this.#failure = kubeApiErrors.KUBE_API_STORE_FAILED({ directory: this.#database.location }, error);
    for (const write of [...writes, ...this.#queue]) write.reject(this.#failure);
    this.#queue = [];
    this.#fail(this.#failure);
  }
}

function writeOf(address: Address, event: StoreEvent, settle: Pick<Write, 'resolve' | 'reject'>): Write {
  const text = JSON.stringify(event.object);
  const value = encodeEvent(event, text);
  const key = logKey({ revision: event.revision, bytes: value.length, collection: address.collection });
  return {
    key: objectKey(address),
    text: event.type === 'DELETED' ? undefined : text,
    event,
    log: [key, value],
    ...settle,
  };
}

const parse = (text: string | undefined): KubeObject | undefined =>
  text === undefined ? undefined : (JSON.parse(text) as JsonObject as KubeObject);
