// A node's way down without a network: a bucket that can be rolled back or lost, requests and hints that a test answers, delays,
// repeats and loses as it likes, and a disk that outlives the node.
import { Downlink } from '../../../../../src/edge/downlink/downlink.ts';
import { DesiredObjects } from '../../../../../src/edge/meta/desired-objects.ts';
import { GroupCommit } from '../../../../../src/edge/store/group-commit.ts';
import type { Store } from '../../../../../src/edge/store/store.ts';
import { keyIn, type Table } from '../../../../../src/edge/store/store-layout.ts';
import type { Operation, Transaction } from '../../../../../src/edge/store/transaction.ts';
import { TwinBook } from '../../../../../src/edge/twin/twin-book.ts';
import { Deadline } from '../../../../../src/kit/deadline.ts';
import { fingerprintOf } from '../../../../../src/kit/fingerprint.ts';
import { silentLogger } from '../../../../../src/kit/logger.ts';
import { ms } from '../../../../../src/kit/units.ts';
import type { DeviceDefinition } from '../../../../../src/model/device.ts';
import { natsErrors } from '../../../../../src/nats/errors.ts';
import type { NatsMessage } from '../../../../../src/nats/nats-link.ts';
import { decodeIndex, encodeDefinition, encodeIndex } from '../../../../../src/wire/desired.ts';
import { bucketSubject, DESIRED_BUCKET, desiredKey, indexKey } from '../../../../../src/wire/nats-subjects.ts';
import { ManualClock } from '../../../../support/manual-clock.ts';

export const NODE = 'n1';
const INDEX = indexKey(NODE);

export function definitionOf(name: string, uid: string, value: number): DeviceDefinition {
  const property = { name: 'x', type: 'INT', accessMode: 'ReadWrite', desired: String(value) } as const;
  return { namespace: 'default', name, uid, binding: 1, protocol: 'p', properties: [property] };
}

/** Keeps what was committed, until its power is cut. */
class MemoryStore implements Pick<Store, 'get' | 'all' | 'commit'> {
  readonly #disk: Map<string, string>;
  readonly #commits = new GroupCommit(
    (operations) => this.#write(operations),
    (error) => {
      throw error;
    },
  );
  #hasPower = true;

  constructor(disk: Map<string, string>) {
    this.#disk = disk;
  }

  cutPower(): void {
    this.#hasPower = false;
  }

  get<V>(table: Table<V>, key: string): Promise<V | undefined> {
    const text = this.#disk.get(keyIn(table, key));
    return Promise.resolve(text === undefined ? undefined : table.decode(text));
  }

  async *all<V>(table: Table<V>): AsyncGenerator<readonly [string, V]> {
    const prefix = keyIn(table, '');
    await Promise.resolve();
    for (const [key, text] of this.#disk) {
      if (key.startsWith(prefix)) yield [key.slice(prefix.length), table.decode(text)];
    }
  }

  commit<T>(build: (tx: Transaction) => T): Promise<T> {
    return this.#commits.commit(build);
  }

  async #write(operations: readonly Operation[]): Promise<void> {
    await Promise.resolve();
    // Whoever waits for a disk without power waits for ever.
    if (!this.#hasPower) await new Promise(() => undefined);
    for (const operation of operations) {
      if (operation.type === 'put') this.#disk.set(operation.key, operation.value);
      else this.#disk.delete(operation.key);
    }
  }
}

interface Entry {
  readonly revision: number;
  readonly data: Uint8Array;
  readonly isMark: boolean;
}

/** One key-value bucket and the hub that writes it, over the newest that is there. */
export class ModelHub {
  readonly wanted = new Map<string, DeviceDefinition>();
  readonly everUnwanted = new Set<string>();
  entries = new Map<string, Entry>();
  /** Keys written and not yet heard of by the node. */
  hints: string[] = [];
  readonly #history: { entries: Map<string, Entry>; revision: number; named: Set<string> }[] = [];
  #revision = 0;
  #bucket = 1;
  #generation = 0;
  #named = new Set<string>();
  #born = 0;

  want(name: string, value: number): void {
    const uid = this.wanted.get(name)?.uid ?? `${name}-${(this.#born += 1)}`;
    this.wanted.set(name, definitionOf(name, uid, value));
  }

  unwant(name: string): void {
    const uid = this.wanted.get(name)?.uid;
    if (uid !== undefined) this.everUnwanted.add(uid);
    this.wanted.delete(name);
  }

  /** Writes up to so many objects that the bucket lacks. */
  putObjects(most = Number.POSITIVE_INFINITY): void {
    for (const definition of this.wanted.values()) {
      const key = desiredKey(NODE, 'device', definition);
      const bytes = encodeDefinition(definition);
      const held = this.entries.get(key);
      if (most <= 0) return;
      if (held !== undefined && !held.isMark && Buffer.compare(held.data, bytes) === 0) continue;
      this.#write(key, bytes);
      most -= 1;
    }
  }

  /** Another hub takes over: it knows what is wanted, and of indexes only the one that is there. */
  restart(): void {
    this.#generation = decodeIndex(this.entries.get(INDEX)?.data ?? new Uint8Array())?.generation ?? 0;
  }

  /** What a heartbeat says of a doubt. */
  hear(indexAbove: number | undefined): void {
    if (indexAbove !== undefined) this.#generation = Math.max(this.#generation, indexAbove + 1);
  }

  /** Only where the newest index says something else. */
  putIndex(): void {
    this.putObjects();
    const keys = [...this.wanted.values()].map((definition) => {
      return [desiredKey(NODE, 'device', definition), fingerprintOf(encodeDefinition(definition))] as const;
    });
    const index = (): Uint8Array =>
      encodeIndex({
        bucket: `b${this.#bucket}`,
        generation: this.#generation,
        keys: Object.fromEntries(keys.toSorted()),
      });
    if (Buffer.compare(this.entries.get(INDEX)?.data ?? new Uint8Array(), index()) === 0) return;
    this.#generation += 1;
    this.#named = new Set(keys.map(([key]) => key));
    this.#write(INDEX, index());
  }

  /** Deletion marks for what the newest index does not name and nobody wants. */
  sweep(): void {
    const wanted = new Set([...this.wanted.values()].map((definition) => desiredKey(NODE, 'device', definition)));
    for (const [key, { isMark }] of this.entries) {
      if (key === INDEX || isMark || wanted.has(key) || this.#named.has(key)) continue;
      this.#write(key, new Uint8Array(), true);
    }
  }

  loseBucket(): void {
    this.entries = new Map();
    this.#revision = 0;
    this.#bucket += 1;
    this.#named = new Set();
    this.#history.length = 0;
  }

  /** The server comes back without its newest writes. */
  rollBack(writes: number): void {
    const place = Math.max(0, this.#history.length - writes);
    const before = this.#history[place];
    if (before === undefined) return;
    this.#history.length = place;
    this.entries = before.entries;
    this.#revision = before.revision;
    this.#named = before.named;
  }

  #write(key: string, data: Uint8Array, isMark = false): void {
    this.#history.push({ entries: new Map(this.entries), revision: this.#revision, named: this.#named });
    this.#revision += 1;
    this.entries.set(key, { revision: this.#revision, data, isMark });
    this.hints.push(key);
  }
}

interface Asked {
  readonly key: string;
  readonly resolve: (message: NatsMessage) => void;
  readonly reject: (reason: unknown) => void;
}

class ModelLink {
  connected = false;
  /** A hint was lost on this connection. */
  hasGap = false;
  readonly asked: Asked[] = [];
  #hear: (message: NatsMessage) => void = () => undefined;
  #onConnected: () => void = () => undefined;

  subscribe(_subject: string, handle: (message: NatsMessage) => void): void {
    this.#hear = handle;
  }

  onConnected(listener: () => void): void {
    this.#onConnected = listener;
  }

  request(subject: string): Promise<NatsMessage> {
    if (!this.connected) return Promise.reject(natsErrors.NATS_UNAVAILABLE({ subject }));
    const key = subject.slice(subject.indexOf(`$KV.${DESIRED_BUCKET}.`) + `$KV.${DESIRED_BUCKET}.`.length);
    return new Promise((resolve, reject) => this.asked.push({ key, resolve, reject }));
  }

  connect(): void {
    this.connected = true;
    this.hasGap = false;
    this.#onConnected();
  }

  disconnect(): void {
    this.connected = false;
    for (const { key, reject } of this.asked.splice(0)) reject(natsErrors.NATS_UNAVAILABLE({ subject: key }));
  }

  hint(key: string): void {
    const subject = bucketSubject(DESIRED_BUCKET, key);
    if (this.connected)
      this.#hear({ subject, data: new Uint8Array(), header: () => undefined, values: () => [], status: undefined });
  }
}

/** The node, in one life after the other over the same disk. */
export class ModelNode {
  readonly hub: ModelHub;
  readonly clock = new ManualClock();
  readonly removed: DeviceDefinition[] = [];
  readonly #disk = new Map<string, string>();
  objects = new DesiredObjects();
  twins = new TwinBook();
  link = new ModelLink();
  #store = new MemoryStore(this.#disk);
  #downlink: Downlink | undefined;

  constructor(hub: ModelHub) {
    this.hub = hub;
  }

  isWell(): boolean {
    return this.#downlink?.health().state === 'ok';
  }

  get problem(): string | undefined {
    return this.#downlink?.health().reason;
  }

  get indexAbove(): number | undefined {
    return this.#downlink?.indexAbove;
  }

  async start(): Promise<void> {
    this.#store = new MemoryStore(this.#disk);
    this.objects = new DesiredObjects();
    this.twins = new TwinBook();
    this.link = new ModelLink();
    const store = this.#store as unknown as Store;
    await this.objects.load(store);
    await this.twins.load(store);
    const nothing = (): void => undefined;
    const removed = (definition: DeviceDefinition): void => {
      this.removed.push(definition);
    };
    this.#downlink = new Downlink(
      { node: NODE },
      {
        ...{ link: this.link, store, objects: this.objects, twins: this.twins, clock: this.clock },
        ...{
          logger: silentLogger,
          onReached: nothing,
          keep: (tx, twin) => this.twins.change(tx, twin),
          onDoubt: nothing,
          listener: { desiredChanged: nothing, defined: nothing, removed, joined: nothing, left: nothing },
        },
      },
    );
    await this.#downlink.start(new AbortController().signal);
    this.link.connect();
  }

  async kill(): Promise<void> {
    this.#store.cutPower();
    this.link.disconnect();
    await this.#downlink?.stop(Deadline.after(ms(0)));
  }

  reconnect(): void {
    this.link.disconnect();
    this.hub.hints = [];
    this.link.connect();
  }

  /** Answers one of the requests under way as the bucket is now. */
  answer(pick: number): void {
    const { asked } = this.link;
    const [one] = asked.length === 0 ? [] : asked.splice(pick % asked.length, 1);
    if (one === undefined) return;
    const entry = this.hub.entries.get(one.key);
    const headers: Record<string, string> =
      entry === undefined
        ? {}
        : {
            'Nats-Stream': 'KV',
            'Nats-Sequence': String(entry.revision),
            ...(entry.isMark ? { 'KV-Operation': 'DEL' } : {}),
          };
    const status = entry === undefined ? 404 : undefined;
    one.resolve({
      ...{ subject: one.key, data: entry?.data ?? new Uint8Array(), status },
      ...{ header: (name) => headers[name], values: (name) => [headers[name] ?? []].flat() },
    });
  }

  /** Answers everything until nothing more is asked. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3;) {
      quiet = this.link.asked.length === 0 ? quiet + 1 : 0;
      while (this.link.asked.length > 0) this.answer(0);
      await new Promise(setImmediate);
    }
  }
}
