// One chain's waiting facts: a stretch of the oldest in memory, the rest on disk only. Pure bookkeeping.
import type { Fact } from '../../model/fact.ts';

/** Where a chain stands in the stream. */
export interface ChainPosition {
  /** The newest outbox sequence that the stream has acknowledged. */
  readonly acknowledged: number;
  /** The stream sequence of the message that carried it. */
  readonly streamSequence: number;
}

export interface OutboxEntry {
  readonly sequence: number;
  readonly incarnation: string;
  readonly fact: Fact;
}

interface Acknowledgement {
  readonly sequence: number;
  /** When the first and the last of what it stands for was acknowledged. */
  readonly since: number;
  readonly at: number;
}

const NOTED_TOGETHER_MS = 1000;

export class ChainBacklog {
  #position: ChainPosition = { acknowledged: 0, streamSequence: 0 };
  /** Contiguous and oldest first: no waiting entry is older than, or between, these. */
  #head: OutboxEntry[] = [];
  /** Waiting entries that are newer than the head and on disk only. */
  #onDiskOnly = 0;
  /** What is acknowledged and still on disk, oldest first. */
  #acknowledged: Acknowledgement[] = [];
  #moved = false;
  /** Entries up to this sequence are in the counts, announced or not. */
  #counted = 0;
  /** What was announced since each recount under way began. A lost link may leave one behind that ends after the next has begun. */
  readonly #recounts = new Set<number[]>();

  get position(): ChainPosition {
    return this.#position;
  }

  set position(position: ChainPosition) {
    this.#position = position;
  }

  get waiting(): number {
    return this.#head.length + this.#onDiskOnly;
  }

  get inMemory(): number {
    return this.#head.length;
  }

  get needsReading(): boolean {
    return this.#head.length === 0 && this.#onDiskOnly > 0;
  }

  /** An entry seen while the store was read at start, at this moment. */
  foundOnDisk(sequence: number, at: number): void {
    if (sequence > this.#position.acknowledged) this.#onDiskOnly += 1;
    else this.#acknowledged = [{ sequence, since: at, at }];
  }

  /** A new entry. True when it is kept in memory too. */
  append(entry: OutboxEntry, mayKeep: boolean): boolean {
    for (const arrived of this.#recounts) arrived.push(entry.sequence);
    if (entry.sequence <= this.#counted) return false;
    if (mayKeep && this.#onDiskOnly === 0) {
      this.#head.push(entry);
      return true;
    }
    // Also for an entry that `fill` already took from disk before it was announced here: the count was short by it until now.
    this.#onDiskOnly += 1;
    return false;
  }

  /**
   * Takes over the oldest entries as read from disk behind a sequence; returns how many, or `moved` when the chain meanwhile
   * stands elsewhere: then these are not its oldest.
   */
  fill(entries: readonly OutboxEntry[], after: number): number | 'moved' {
    if (after !== this.#position.acknowledged) return 'moved';
    if (this.#head.length > 0) return 0;
    this.#head = [...entries];
    this.#onDiskOnly -= entries.length;
    return entries.length;
  }

  /** To be called before the store is read for `recount`; returns what collects the entries that are announced meanwhile. */
  beginRecount(): number[] {
    const arrived: number[] = [];
    this.#recounts.add(arrived);
    return arrived;
  }

  endRecount(arrived: number[]): void {
    this.#recounts.delete(arrived);
  }

  /** Starts anew from a position, with the sequences that were found on disk behind it; returns how many entries left the memory. */
  recount(
    position: ChainPosition,
    found: { readonly sequences: readonly number[]; readonly arrived: readonly number[] },
    at: number,
  ): number {
    const dropped = this.#head.length;
    this.#counted = found.sequences.at(-1) ?? position.acknowledged;
    this.#head = [];
    this.#onDiskOnly = found.sequences.length + found.arrived.filter((sequence) => sequence > this.#counted).length;
    this.#acknowledged = this.#acknowledged.filter(({ sequence }) => sequence <= position.acknowledged);
    // The stream may have stored these only just now, and not have synced them yet.
    if (position.acknowledged > 0) this.#acknowledged.push({ sequence: position.acknowledged, since: at, at });
    this.#position = position;
    this.#moved = true;
    return dropped;
  }

  oldest(limit: number): readonly OutboxEntry[] {
    return this.#head.slice(0, limit);
  }

  /** Returns how many entries left the memory. */
  acknowledge(position: ChainPosition, at: number): number {
    const kept = this.#head.findIndex(({ sequence }) => sequence > position.acknowledged);
    const dropped = kept === -1 ? this.#head.length : kept;
    if (dropped > 0) this.#head = this.#head.slice(dropped);
    if (position.acknowledged > this.#position.acknowledged) this.#note(position.acknowledged, at);
    this.#position = position;
    this.#moved = true;
    return dropped;
  }

  /** One note for all that is acknowledged within a second: a busy chain would otherwise hold thousands of them. */
  #note(sequence: number, at: number): void {
    const last = this.#acknowledged.at(-1);
    if (last !== undefined && at - last.since < NOTED_TOGETHER_MS) this.#acknowledged.pop();
    const since = last !== undefined && at - last.since < NOTED_TOGETHER_MS ? last.since : at;
    this.#acknowledged.push({ sequence, since, at });
  }

  /** The newest sequence that was acknowledged before the moment and is still on disk. */
  takeSettled(before: number): number | undefined {
    const settled = this.#acknowledged.filter(({ at }) => at <= before);
    this.#acknowledged = this.#acknowledged.slice(settled.length);
    return settled.at(-1)?.sequence;
  }

  /** Whether the position changed since this was last asked. */
  takeMoved(): boolean {
    const moved = this.#moved;
    this.#moved = false;
    return moved;
  }

  /** The position could not be written: it counts as changed still. */
  keepMoved(): void {
    this.#moved = true;
  }
}
