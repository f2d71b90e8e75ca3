// Keeps the outbox within its bytes: a loop of its own begins when nine tenths are taken, in steps that let everything else go on
// between them, and whoever wants to enlist waits only where the limit itself is reached.
import type { OneAtATime } from '../../kit/one-at-a-time.ts';
import { sleep } from '../../kit/sleep.ts';
import { seconds, type Bytes } from '../../kit/units.ts';
import { classOfChain, type ChainClass } from '../../wire/nats-subjects.ts';
import { storeErrors } from '../store/errors.ts';
import type { Store } from '../store/store.ts';
import type { ChainBacklog } from './chain-backlog.ts';
import { ChainReviser, type Chain, type CompactionMark } from './chain-reviser.ts';
import { outboxErrors } from './errors.ts';
import type { GapReason } from './gap-marker.ts';
import type { Losses } from './losses.ts';
import { oldestFirst } from './oldest-first.ts';
import { afterEntry, endOfChain, parseEntryKey, type Weighed } from './outbox-key.ts';
import { BEGIN_AT, clearThrough, Cut, DROPPED_FIRST, MAKE_ROOM_TO } from './retention.ts';
import { OUTBOX_ENTRIES } from './stored-entry.ts';

export interface RoomKeeperTools {
  readonly store: Store;
  readonly chains: ReadonlyMap<string, ChainBacklog>;
  /** Whoever reads a chain in order to change it takes turns. */
  readonly turns: OneAtATime;
  /** Removes what the stream acknowledged up to a moment; returns how many bytes that were. */
  readonly clearSettled: (through: number) => Promise<number>;
  readonly losses: Losses;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

const PAGE = 256;
const RETRY = seconds(1);

export class RoomKeeper {
  readonly #limit: Bytes;
  readonly #beginAt: number;
  readonly #tools: RoomKeeperTools;
  readonly #reviser: ChainReviser;
  readonly #compactions = new WeakMap<ChainBacklog, CompactionMark>();
  /** What is older than this has been dropped for its age, but for chains that had something on its way. */
  #agedThrough = 0;
  #spared = new Set<ChainBacklog>();
  #bytes = 0;
  #waiters: Waiter[] = [];
  #refusal: Error | undefined;
  #wake: () => void = () => undefined;
  #knock: () => void = () => undefined;

  constructor(limit: Bytes, tools: RoomKeeperTools) {
    this.#limit = limit;
    this.#beginAt = limit * BEGIN_AT;
    this.#tools = tools;
    this.#reviser = new ChainReviser({ store: tools.store, weigh: (bytes) => this.weigh(bytes) });
  }

  /** What all entries on disk weigh. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Why nothing can be taken in, while nothing can. */
  get refusal(): Error | undefined {
    return this.#bytes < this.#limit ? undefined : this.#refusal;
  }

  /** So many bytes were enlisted, or removed where negative. */
  weigh(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes >= this.#beginAt) this.#wake();
    if (bytes < 0) this.#letIn();
  }

  /** Something to await before enlisting; rejects with OUTBOX_FULL where no room can be made. Undefined while there is room. */
  room(): Promise<void> | undefined {
    return this.#bytes < this.#limit ? undefined : this.#untilRoom();
  }

  async #untilRoom(): Promise<void> {
    if (this.#refusal !== undefined) throw this.#refusal;
    this.#knock();
    await new Promise<void>((resolve, reject) => void this.#waiters.push({ resolve, reject }));
  }

  async keep(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#wake(), { once: true });
    while (!signal.aborted) {
      if (this.#bytes < this.#beginAt) await this.#woken(signal);
      else if (!(await this.#makeRoom(signal))) await this.#retryTime(signal);
    }
    this.#refuse(outboxErrors.OUTBOX_FULL({ bytes: this.#bytes, limit: this.#limit }));
  }

  /** Drops every entry up to a sequence, of whatever class; what is on its way is looked at again the next time. */
  async dropAged(through: number, signal: AbortSignal): Promise<void> {
    const isFurther = through > this.#agedThrough;
    const spared = new Set<ChainBacklog>();
    for (const chain of this.#chainsWhere(({ waiting, oldestSequence }) => waiting > 0 && oldestSequence <= through)) {
      const { backlog } = chain;
      if (!isFurther && !this.#spared.has(backlog)) continue;
      if (backlog.isOnItsWay) spared.add(backlog);
      await this.#dropThrough(chain, through, { reason: 'age', signal });
      if (backlog.isOnItsWay) spared.add(backlog);
    }
    this.#agedThrough = through;
    this.#spared = spared;
    this.#tools.losses.tell();
  }

  /** Drops the oldest entry of a chain, which was handed out and cannot be sent. False where that is a gap marker already. */
  async leaveOut(chain: Chain, sequence: number): Promise<boolean> {
    const { lost } = await this.#revise(chain, 'size', () => {
      chain.backlog.takeBack();
      return this.#reviser.drop(chain, sequence, 'size');
    });
    this.#tools.losses.tell();
    return lost > 0;
  }

  #woken(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (signal.aborted || this.#bytes >= this.#beginAt) resolve();
    });
  }

  /** Shorter for the first who has to wait: whoever comes after that one is refused until something is freed. */
  async #retryTime(signal: AbortSignal): Promise<void> {
    await Promise.race([sleep(RETRY, signal), new Promise<void>((resolve) => (this.#knock = resolve))]);
  }

  /** False where nothing could be freed. */
  async #makeRoom(signal: AbortSignal): Promise<boolean> {
    let freed = 0;
    try {
      for (const step of [this.#clearAcknowledged, this.#compact, this.#dropOldest]) {
        if (!signal.aborted) freed += await step.call(this, signal);
        // What arrived meanwhile is another round's: it may give way by itself too, before anything is dropped.
        if (this.#bytes < this.#beginAt || freed >= this.#limit * (BEGIN_AT - MAKE_ROOM_TO)) break;
      }
    } catch (error) {
      if (!storeErrors.STORE_UNAVAILABLE.is(error)) throw error;
      this.#refuse(error as Error);
      return false;
    }
    this.#tools.losses.tell();
    if (freed <= 0 && this.#bytes >= this.#limit)
      this.#refuse(outboxErrors.OUTBOX_FULL({ bytes: this.#bytes, limit: this.#limit }));
    return freed > 0;
  }

  #goal(): number {
    return this.#bytes - this.#limit * MAKE_ROOM_TO;
  }

  async #clearAcknowledged(): Promise<number> {
    const { chains, clearSettled } = this.#tools;
    const notes = [...chains.values()].flatMap(({ acknowledgedNotes }) => [...acknowledgedNotes]);
    const through = clearThrough(notes, this.#goal());
    return through === undefined ? 0 : clearSettled(through);
  }

  async #compact(signal: AbortSignal): Promise<number> {
    let freed = 0;
    for (const chainClass of DROPPED_FIRST)
      for (const chain of this.#chainsWhere((backlog) => this.#isWorthCompacting(backlog), chainClass))
        for (let isDone = false; !isDone && this.#goal() > 0 && !signal.aborted;) {
          const step = await this.#revise(chain, 'compacted', () => this.#reviser.compact(chain, this.#markOf(chain)));
          freed += step.freed;
          isDone = step.isDone;
        }
    return freed;
  }

  #isWorthCompacting(backlog: ChainBacklog): boolean {
    const compactedThrough = this.#compactions.get(backlog)?.through ?? 0;
    return backlog.newestCompactable > Math.max(compactedThrough, backlog.fixedThrough);
  }

  #markOf({ backlog }: Chain): CompactionMark {
    const known = this.#compactions.get(backlog) ?? { through: 0, giveWay: [] };
    this.#compactions.set(backlog, known);
    return known;
  }

  async #dropOldest(signal: AbortSignal): Promise<number> {
    let freed = 0;
    for (const chainClass of DROPPED_FIRST) {
      const goal = this.#goal();
      if (goal <= 0) break;
      const chains = this.#chainsWhere(({ waiting }) => waiting > 0, chainClass);
      const { through, isEnough } = await this.#cutFor(chains, goal, signal);
      for (const chain of chains) freed += await this.#dropThrough(chain, through, { reason: 'bytes', signal });
      // What arrived meanwhile is the next round's: the higher class is not asked while the lower one has anything.
      if (isEnough) break;
    }
    return freed;
  }

  /** Through which sequence entries of the chains must go to free so many bytes, and whether that frees them. */
  async #cutFor(
    chains: readonly Chain[],
    goal: number,
    signal: AbortSignal,
  ): Promise<{ readonly through: number; readonly isEnough: boolean }> {
    const cut = new Cut(goal);
    const starts = chains.map(({ name, backlog }) => [name, backlog.fixedThrough] as const);
    for await (const placed of oldestFirst(starts, (chain, after) => this.#readKeys(chain, after))) {
      const isEnough = placed.some(({ chain, entry }) => !cut.take(chain, entry));
      if (isEnough || signal.aborted) break;
    }
    return { through: cut.freed > 0 ? cut.through : 0, isEnough: cut.freed >= goal };
  }

  async #readKeys(chain: string, after: number): Promise<{ entries: readonly Weighed[]; isLast: boolean }> {
    const bounds = { after: afterEntry(chain, after), before: endOfChain(chain) };
    const entries: Weighed[] = [];
    for await (const key of this.#tools.store.keysBetween(OUTBOX_ENTRIES, bounds)) {
      entries.push(parseEntryKey(key));
      if (entries.length === PAGE) return { entries, isLast: false };
    }
    return { entries, isLast: true };
  }

  async #dropThrough(
    chain: Chain,
    through: number,
    { reason, signal }: { readonly reason: GapReason; readonly signal: AbortSignal },
  ): Promise<number> {
    let freed = 0;
    for (let isDone = through <= chain.backlog.fixedThrough; !isDone && !signal.aborted;) {
      const step = await this.#revise(chain, reason, () => this.#reviser.drop(chain, through, reason));
      freed += step.freed;
      isDone = step.isDone;
    }
    return freed;
  }

  async #revise(chain: Chain, reason: GapReason, revise: () => ReturnType<ChainReviser['drop']>) {
    const step = await this.#tools.turns.run(revise);
    this.#tools.losses.add(chain.name, reason, step.lost);
    return step;
  }

  #chainsWhere(isWanted: (backlog: ChainBacklog) => boolean, chainClass?: ChainClass): readonly Chain[] {
    return [...this.#tools.chains]
      .filter(([name, backlog]) => (chainClass === undefined || classOfChain(name) === chainClass) && isWanted(backlog))
      .map(([name, backlog]) => ({ name, backlog }));
  }

  #letIn(): void {
    if (this.#bytes >= this.#limit) return;
    this.#refusal = undefined;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { resolve } of waiters) resolve();
  }

  #refuse(reason: Error): void {
    this.#refusal = reason;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { reject } of waiters) reject(reason);
  }
}
