// Facts waiting for the cloud, in one order per chain. A fact is enlisted in the transaction that changed its twin. What the
// stream has acknowledged stays on disk for a while: JetStream syncs its own disk only every two minutes by default, and a
// stream that lost its tail is filled again from here (ADR 0004). Bounded in bytes and age (ADR 0023).
import type { Deadline } from '../../kit/deadline.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/logger.ts';
import { OneAtATime } from '../../kit/one-at-a-time.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { sleep } from '../../kit/sleep.ts';
import { TaskGroup } from '../../kit/task-group.ts';
import { seconds, type Bytes, type Duration } from '../../kit/units.ts';
import type { Fact } from '../../model/fact.ts';
import { storeErrors } from '../store/errors.ts';
import type { Store } from '../store/store.ts';
import { jsonTable } from '../store/store-layout.ts';
import type { Transaction } from '../store/transaction.ts';
import { AgeKeeper } from './age-keeper.ts';
import { ChainBacklog, type ChainPosition } from './chain-backlog.ts';
import { ChainReader } from './chain-reader.ts';
import { LinkTime, type IsPlaced } from './link-time.ts';
import { Losses, type LossCounts } from './losses.ts';
import { parseEntryKey } from './outbox-key.ts';
import { RoomKeeper } from './room-keeper.ts';
import { POSITIONS, Settlement } from './settlement.ts';
import { OUTBOX_ENTRIES, putEntry, type OutboxEntry, type WeighedEntry } from './stored-entry.ts';

export { POSITIONS } from './settlement.ts';
export { OUTBOX_ENTRIES } from './stored-entry.ts';

export interface OutboxConfig {
  /** What all facts on disk may weigh. */
  readonly limit: Bytes;
  /** How long a fact may wait. */
  readonly age: Duration;
}

export interface OutboxTools {
  readonly store: Store;
  readonly clock: Clock;
  readonly incarnation: () => string;
  readonly logger: Logger;
}

export interface OutboxStatistics {
  /** Facts that the stream has not acknowledged. */
  readonly entries: number;
  /** What all facts on disk weigh, acknowledged ones too. */
  readonly bytes: number;
  readonly acknowledgedBytes: number;
  readonly limitBytes: number;
  /** How long the oldest waiting fact has surely been there; 0 when none waits. */
  readonly oldestAgeMs: number;
  /** Changes that a limit kept from the stream since this process began. */
  readonly dropped: LossCounts;
}

export const COUNTER = jsonTable<number>('sequence');

/** JetStream's default sync interval, and what it takes to notice that its server is gone. Counted while a session is open. */
const KEEP_ACKNOWLEDGED = seconds(130);
const SWEEP_EVERY = seconds(10);
const MOST_IN_MEMORY = { entries: 5_000, bytes: 8 * 1024 * 1024 };

export class Outbox implements Service {
  readonly name = 'outbox';
  readonly #config: OutboxConfig;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #incarnation: () => string;
  readonly #chains = new Map<string, ChainBacklog>();
  readonly #losses: Losses;
  readonly #reader: ChainReader;
  readonly #settlement: Settlement;
  readonly #room: RoomKeeper;
  readonly #ages: AgeKeeper;
  readonly #tasks = new TaskGroup();
  readonly #memory = { entries: 0, bytes: 0 };
  readonly #linkTime = new LinkTime();
  #sequence = 0;
  #onWork: (chain: string) => void = () => undefined;

  constructor(config: OutboxConfig, tools: OutboxTools) {
    this.#config = config;
    this.#store = tools.store;
    this.#clock = tools.clock;
    this.#incarnation = tools.incarnation;
    this.#losses = new Losses(tools);
    this.#ages = new AgeKeeper(tools);
    const turns = new OneAtATime();
    const { store } = tools;
    const chains = this.#chains;
    this.#reader = new ChainReader({ store, turns, linked: () => this.#linked() });
    this.#settlement = new Settlement({ store, chains, turns, weigh: (bytes) => this.#room.weigh(bytes) });
    const clearSettled = (through: number): Promise<number> => this.#settlement.clear(through, () => true);
    this.#room = new RoomKeeper(config.limit, { store, chains, turns, clearSettled, losses: this.#losses });
  }

  get ended(): Promise<unknown> {
    return this.#tasks.ended;
  }

  async start(_signal: AbortSignal): Promise<void> {
    this.#sequence = (await this.#store.get(COUNTER, '')) ?? 0;
    await this.#ages.load();
    for await (const [chain, position] of this.#store.all(POSITIONS)) this.#backlog(chain).startAt(position);
    for await (const key of this.#store.keys(OUTBOX_ENTRIES)) {
      const { chain, ...entry } = parseEntryKey(key);
      this.#backlog(chain).foundOnDisk(entry, this.#linked());
      this.#room.weigh(entry.bytes);
    }
    this.#tasks.run('sweep', (signal) => this.#sweepRegularly(signal));
    this.#tasks.run('room', (signal) => this.#room.keep(signal));
  }

  async stop(deadline: Deadline): Promise<void> {
    await this.#tasks.close(deadline);
    // Where the disk refuses, the stream itself tells the positions at the next start.
    await whereStoreTakes(() => this.#settlement.writePositions());
  }

  health(): Health {
    const refusal = this.#room.refusal;
    if (refusal !== undefined) return { state: 'failing', reason: refusal.message };
    const reason = this.#losses.recent;
    return reason === undefined ? HEALTHY : { state: 'degraded', reason };
  }

  statistics(): OutboxStatistics {
    let entries = 0;
    let acknowledgedBytes = 0;
    for (const backlog of this.#chains.values()) {
      entries += backlog.waiting;
      acknowledgedBytes += backlog.acknowledgedBytes;
    }
    const oldest = this.#oldestWaiting();
    return {
      entries,
      bytes: this.#room.bytes,
      acknowledgedBytes,
      limitBytes: this.#config.limit,
      oldestAgeMs: oldest === undefined ? 0 : this.#ages.ageOf(oldest),
      dropped: this.#losses.counts,
    };
  }

  /** The newest sequence that reached the disk. */
  get newest(): number {
    return this.#sequence;
  }

  /** Called with a chain whenever a fact of it has reached the disk. */
  onWork(listener: (chain: string) => void): void {
    this.#onWork = listener;
  }

  /** To be awaited before anything is enlisted, if there is something; rejects with OUTBOX_FULL where no room can be made. */
  room(): Promise<void> | undefined {
    return this.#room.room();
  }

  /** Adds a fact to a chain as part of somebody else's commit. */
  enlist(tx: Transaction, chain: string, fact: Fact): void {
    const staged = tx.staged(COUNTER, '');
    const sequence = (typeof staged === 'number' ? staged : this.#sequence) + 1;
    tx.put(COUNTER, '', sequence);
    const entry = putEntry(tx, chain, { sequence, incarnation: this.#incarnation(), fact });
    tx.afterCommit(() => {
      this.#sequence = sequence;
      this.#kept(chain, entry);
    });
  }

  /** Chains that hold anything: waiting, or acknowledged but not yet beyond doubt. */
  chains(): Iterable<string> {
    return [...this.#chains].filter(([, backlog]) => backlog.holdsAnything).map(([chain]) => chain);
  }

  /**
   * A session with the stream is open. Only now what was acknowledged grows older, and only chains that the session has placed are
   * cleared of it: a server that was away may come back without its last two minutes.
   */
  beginSession(isPlaced: IsPlaced): void {
    this.#linkTime.begin(this.#clock.monotonic(), isPlaced);
  }

  endSession(): void {
    this.#linkTime.end(this.#clock.monotonic());
  }

  position(chain: string): ChainPosition {
    return this.#backlog(chain).position;
  }

  /** Facts of a chain that the stream has not acknowledged. */
  waiting(chain: string): number {
    return this.#chains.get(chain)?.waiting ?? 0;
  }

  /** Facts of all chains that the stream has not acknowledged. */
  depth(): number {
    let depth = 0;
    for (const backlog of this.#chains.values()) depth += backlog.waiting;
    return depth;
  }

  /**
   * Up to `limit` of the chain's oldest unacknowledged facts, oldest first. Until it is known whether the stream has them they stay
   * as they are, whatever the limits say.
   */
  oldest(chain: string, limit: number): Promise<readonly OutboxEntry[]> {
    return this.#reader.oldest({ name: chain, backlog: this.#backlog(chain) }, limit);
  }

  /** The stream has everything of the chain up to and including the sequence. */
  acknowledge(chain: string, position: ChainPosition): void {
    const isCounted = this.#backlog(chain).acknowledge(position, this.#linked());
    if (!isCounted) void whereStoreTakes(() => this.moveTo(chain, position));
  }

  /**
   * The chain's oldest fact is one that the stream will never take, and none is on its way: a gap marker takes its place. False where
   * it is a marker, which nothing smaller can stand for.
   */
  leaveOut(chain: string, sequence: number): Promise<boolean> {
    return this.#room.leaveOut({ name: chain, backlog: this.#backlog(chain) }, sequence);
  }

  /** The stream stands elsewhere than we believed: go on from there, whether ahead or, if it lost its tail, behind. */
  moveTo(chain: string, position: ChainPosition): Promise<void> {
    return this.#reader.recount({ name: chain, backlog: this.#backlog(chain) }, position);
  }

  /** For how long sessions have been open. */
  #linked(): number {
    return this.#linkTime.at(this.#clock.monotonic());
  }

  #backlog(chain: string): ChainBacklog {
    const found = this.#chains.get(chain);
    if (found !== undefined) return found;
    const made = new ChainBacklog(this.#memory);
    this.#chains.set(chain, made);
    return made;
  }

  #kept(chain: string, entry: WeighedEntry): void {
    const { entries, bytes } = this.#memory;
    this.#backlog(chain).append(entry, entries < MOST_IN_MEMORY.entries && bytes < MOST_IN_MEMORY.bytes);
    this.#room.weigh(entry.bytes);
    this.#onWork(chain);
  }

  #oldestWaiting(): number | undefined {
    let oldest: number | undefined;
    for (const backlog of this.#chains.values())
      if (backlog.waiting > 0 && !(backlog.oldestSequence >= (oldest ?? Infinity))) oldest = backlog.oldestSequence;
    return oldest;
  }

  async #sweepRegularly(signal: AbortSignal): Promise<void> {
    while ((await sleep(SWEEP_EVERY, signal)) === 'elapsed') await whereStoreTakes(() => this.#sweep(signal));
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    await this.#settlement.clear(this.#linked() - KEEP_ACKNOWLEDGED, (chain) => this.#linkTime.holds(chain));
    await this.#ages.note(this.#sequence, this.#oldestWaiting());
    await this.#room.dropAged(this.#ages.olderThan(this.#config.age), signal);
  }
}

/** A store that refuses writes says so itself; what it did not take is tried again in the next round. */
async function whereStoreTakes(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!storeErrors.STORE_UNAVAILABLE.is(error)) throw error;
  }
}
