// Facts waiting for the cloud, in one order per chain. A fact is enlisted in the transaction that changed its twin. What the
// stream has acknowledged stays on disk for a while: JetStream syncs its own disk only every two minutes by default, and a
// stream that lost its tail is filled again from here (ADR 0004).
import type { Deadline } from '../../kit/deadline.ts';
import type { Clock } from '../../kit/clock.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { sleep } from '../../kit/sleep.ts';
import { TaskGroup } from '../../kit/task-group.ts';
import { seconds } from '../../kit/units.ts';
import type { Fact } from '../../model/fact.ts';
import { storeErrors } from '../store/errors.ts';
import type { Store } from '../store/store.ts';
import { jsonTable } from '../store/store-layout.ts';
import type { Transaction } from '../store/transaction.ts';
import { ChainBacklog, type ChainPosition, type OutboxEntry } from './chain-backlog.ts';
import { endOfChain, entryKey, parseEntryKey } from './outbox-key.ts';

interface StoredEntry {
  readonly incarnation: string;
  readonly fact: Fact;
}

export const OUTBOX_ENTRIES = jsonTable<StoredEntry>('outbox');
const POSITIONS = jsonTable<ChainPosition>('chain');
export const COUNTER = jsonTable<number>('sequence');

/** JetStream's default sync interval, and a little more. */
const KEEP_ACKNOWLEDGED = seconds(130);
const SWEEP_EVERY = seconds(10);
const MOST_IN_MEMORY = 5_000;
const READ_AHEAD = 200;

export class Outbox implements Service {
  readonly name = 'outbox';
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #incarnation: () => string;
  readonly #chains = new Map<string, ChainBacklog>();
  readonly #tasks = new TaskGroup();
  #sequence = 0;
  #inMemory = 0;
  #onWork: (chain: string) => void = () => undefined;

  constructor(tools: { readonly store: Store; readonly clock: Clock; readonly incarnation: () => string }) {
    this.#store = tools.store;
    this.#clock = tools.clock;
    this.#incarnation = tools.incarnation;
  }

  get ended(): Promise<unknown> {
    return this.#tasks.ended;
  }

  async start(_signal: AbortSignal): Promise<void> {
    this.#sequence = (await this.#store.get(COUNTER, '')) ?? 0;
    for await (const [chain, position] of this.#store.all(POSITIONS)) this.#backlog(chain).position = position;
    for await (const key of this.#store.keys(OUTBOX_ENTRIES)) {
      const { chain, sequence } = parseEntryKey(key);
      this.#backlog(chain).foundOnDisk(sequence, this.#clock.monotonic());
    }
    this.#tasks.run('sweep', (signal) => this.#sweepRegularly(signal));
  }

  async stop(deadline: Deadline): Promise<void> {
    await this.#tasks.close(deadline);
    // Where the disk refuses, the stream itself tells the positions at the next start.
    await whereStoreTakes(() => this.#writePositions());
  }

  health(): Health {
    return HEALTHY;
  }

  /** The newest sequence that reached the disk. */
  get newest(): number {
    return this.#sequence;
  }

  /** Called with a chain whenever a fact of it has reached the disk. */
  onWork(listener: (chain: string) => void): void {
    this.#onWork = listener;
  }

  /** Adds a fact to a chain as part of somebody else's commit. */
  enlist(tx: Transaction, chain: string, fact: Fact): void {
    const staged = tx.staged(COUNTER, '');
    const sequence = (typeof staged === 'number' ? staged : this.#sequence) + 1;
    const incarnation = this.#incarnation();
    tx.put(COUNTER, '', sequence);
    tx.put(OUTBOX_ENTRIES, entryKey(chain, sequence), { incarnation, fact });
    tx.afterCommit(() => {
      this.#sequence = sequence;
      this.#kept(chain, { sequence, incarnation, fact });
    });
  }

  /** Chains that hold anything: waiting, or acknowledged but not yet beyond doubt. */
  chains(): Iterable<string> {
    return this.#chains.keys();
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

  /** Up to `limit` of the chain's oldest unacknowledged facts, oldest first. */
  async oldest(chain: string, limit: number): Promise<readonly OutboxEntry[]> {
    const backlog = this.#backlog(chain);
    let filled: number | 'moved' = 'moved';
    while (filled === 'moved' && backlog.needsReading) filled = await this.#readAhead(chain, backlog);
    return backlog.oldest(limit);
  }

  /** The stream has everything of the chain up to and including the sequence. */
  acknowledge(chain: string, position: ChainPosition): void {
    const backlog = this.#backlog(chain);
    this.#inMemory -= backlog.acknowledge(position, this.#clock.monotonic());
  }

  /** The stream stands elsewhere than we believed: go on from there, whether ahead or, if it lost its tail, behind. */
  async moveTo(chain: string, position: ChainPosition): Promise<void> {
    const backlog = this.#backlog(chain);
    const arrived = backlog.beginRecount();
    try {
      const bounds = { after: entryKey(chain, position.acknowledged), before: endOfChain(chain) };
      const sequences: number[] = [];
      for await (const key of this.#store.keysBetween(OUTBOX_ENTRIES, bounds))
        sequences.push(parseEntryKey(key).sequence);
      this.#inMemory -= backlog.recount(position, { sequences, arrived }, this.#clock.monotonic());
    } finally {
      backlog.endRecount(arrived);
    }
  }

  #backlog(chain: string): ChainBacklog {
    const found = this.#chains.get(chain);
    if (found !== undefined) return found;
    const made = new ChainBacklog();
    this.#chains.set(chain, made);
    return made;
  }

  #kept(chain: string, entry: OutboxEntry): void {
    if (this.#backlog(chain).append(entry, this.#inMemory < MOST_IN_MEMORY)) this.#inMemory += 1;
    this.#onWork(chain);
  }

  async #readAhead(chain: string, backlog: ChainBacklog): Promise<number | 'moved'> {
    const after = backlog.position.acknowledged;
    const bounds = {
      after: entryKey(chain, after),
      before: endOfChain(chain),
      limit: READ_AHEAD,
    };
    const found = await this.#store.between(OUTBOX_ENTRIES, bounds);
    const entries = found.map(([key, { incarnation, fact }]) => ({
      sequence: parseEntryKey(key).sequence,
      incarnation,
      fact,
    }));
    const filled = backlog.fill(entries, after);
    if (filled !== 'moved') this.#inMemory += filled;
    return filled;
  }

  async #sweepRegularly(signal: AbortSignal): Promise<void> {
    while ((await sleep(SWEEP_EVERY, signal)) === 'elapsed') await whereStoreTakes(() => this.#sweep());
  }

  async #sweep(): Promise<void> {
    await this.#writePositions();
    const before = this.#clock.monotonic() - KEEP_ACKNOWLEDGED;
    for (const [chain, backlog] of this.#chains) {
      const through = backlog.takeSettled(before);
      if (through === undefined) continue;
      await this.#store.clear(OUTBOX_ENTRIES, { from: entryKey(chain, 0), through: entryKey(chain, through) });
    }
  }

  /** Must precede the removal of what they cover: without entries, only the position tells what the stream has. */
  async #writePositions(): Promise<void> {
    const moved = [...this.#chains].filter(([, backlog]) => backlog.takeMoved());
    if (moved.length === 0) return;
    await this.#store.commit((tx) => {
      tx.onFailure(() => {
        for (const [, backlog] of moved) backlog.keepMoved();
      });
      for (const [chain, backlog] of moved) tx.put(POSITIONS, chain, backlog.position);
    });
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
