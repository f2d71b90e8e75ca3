// One chain's waiting facts: a stretch of the oldest in memory, the rest on disk only. Pure bookkeeping.
import { AcknowledgedNotes, type AcknowledgedNote } from './acknowledged-notes.ts';
import type { Weighed } from './outbox-key.ts';
import { Found, type Recount } from './recount.ts';
import type { OutboxEntry, WeighedEntry } from './stored-entry.ts';

export type { OutboxEntry } from './stored-entry.ts';

/** Where a chain stands in the stream. */
export interface ChainPosition {
  /** The newest outbox sequence that the stream has acknowledged. */
  readonly acknowledged: number;
  /** The stream sequence of the message that carried it. */
  readonly streamSequence: number;
}

/** What all chains together hold in memory. */
export interface Memory {
  entries: number;
  bytes: number;
}

/** Reads the oldest entries from disk. `end` tells `changed` when the chain meanwhile did: then these may not be its oldest. */
export interface Reading {
  readonly after: number;
  end(entries: readonly WeighedEntry[]): 'filled' | 'changed';
}

export class ChainBacklog {
  readonly #memory: Memory;
  readonly #acknowledged = new AcknowledgedNotes();
  #position: ChainPosition = { acknowledged: 0, streamSequence: 0 };
  /** Contiguous and oldest first: no waiting entry is older than, or between, these. */
  #head: WeighedEntry[] = [];
  #waiting = 0;
  #waitingBytes = 0;
  /** No waiting entry is older than this. */
  #oldest = 0;
  #newestCompactable = 0;
  #heaviest = 0;
  /** Entries up to this sequence were handed out to be sent, and may be in the stream by now. */
  #handedOut = 0;
  #isMoved = false;
  /** The position up to which entries are counted as acknowledged. */
  #countedAt = 0;
  /** Entries up to this sequence are in the counts, announced or not. */
  #counted = 0;
  /** What was announced since each recount under way began. */
  readonly #recounts = new Set<Weighed[]>();
  /** Grows whenever entries are taken out of the middle. */
  #revisions = 0;
  #isRevised = false;

  constructor(memory: Memory = { entries: 0, bytes: 0 }) {
    this.#memory = memory;
  }

  get position(): ChainPosition {
    return this.#position;
  }

  /** To be told before anything else. */
  startAt(position: ChainPosition): void {
    this.#position = position;
    this.#countedAt = position.acknowledged;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Whether anything of it may be on disk: waiting, or acknowledged. */
  get holdsAnything(): boolean {
    return this.#waiting > 0 || !this.#acknowledged.isEmpty;
  }

  /** Whether entries were handed out and it is not known yet what became of them. */
  get isOnItsWay(): boolean {
    return this.#handedOut > this.#position.acknowledged;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  get acknowledgedBytes(): number {
    return this.#acknowledged.bytes;
  }

  get acknowledgedNotes(): Iterable<AcknowledgedNote> {
    return this.#acknowledged;
  }

  get inMemory(): number {
    return this.#head.length;
  }

  /** No waiting entry is older than this. */
  get oldestSequence(): number {
    return this.#head[0]?.sequence ?? Math.max(this.#oldest, this.#position.acknowledged + 1);
  }

  /** The newest entry that may hold a change of which only the last needs to be kept. */
  get newestCompactable(): number {
    return this.#newestCompactable;
  }

  /** No entry that was ever seen of the chain weighs more. */
  get heaviest(): number {
    return this.#heaviest;
  }

  /** Entries up to this sequence must stay as they are: the stream has them, or may have. */
  get fixedThrough(): number {
    return Math.max(this.#position.acknowledged, this.#handedOut);
  }

  get needsReading(): boolean {
    return this.#head.length === 0 && this.#waiting > 0;
  }

  /** An entry seen while the store was read at start, at this moment. */
  foundOnDisk(entry: Weighed, at: number): void {
    this.#heaviest = Math.max(this.#heaviest, entry.bytes);
    if (entry.sequence > this.#position.acknowledged) this.#count(entry);
    else this.#acknowledged.add(entry.sequence, entry.bytes, at);
  }

  /** A new entry. */
  append(entry: WeighedEntry, mayKeep: boolean): void {
    this.#heaviest = Math.max(this.#heaviest, entry.bytes);
    for (const arrived of this.#recounts) arrived.push(entry);
    if (entry.sequence <= this.#counted) return;
    // Otherwise a reading may have taken entries from disk before they were announced here: the count is short by them until now.
    // Nor may a revision have read it already: what it puts in its place is on disk only.
    if (mayKeep && !this.#isRevised && this.#waiting === this.#head.length) {
      this.#head.push(entry);
      this.#memory.entries += 1;
      this.#memory.bytes += entry.bytes;
    }
    this.#count(entry);
  }

  beginReading(): Reading {
    const after = this.#position.acknowledged;
    const revisions = this.#revisions;
    const end = (entries: readonly WeighedEntry[]): 'filled' | 'changed' => {
      if (after !== this.#position.acknowledged || revisions !== this.#revisions) return 'changed';
      if (this.#head.length === 0) this.#hold(entries);
      return 'filled';
    };
    return { after, end };
  }

  /** Starts anew from a position. One at a time, and none while a revision is under way. */
  beginRecount(position: ChainPosition): Recount {
    const believed = this.#position;
    const arrived: Weighed[] = [];
    const found = new Found(position.acknowledged, this.#countedAt);
    this.#recounts.add(arrived);
    const giveUp = (): void => void this.#recounts.delete(arrived);
    const end = (at: number): 'counted' | 'moved' => {
      giveUp();
      if (this.#position !== believed) return 'moved';
      this.#acknowledged.moveTo(position.acknowledged, this.#acknowledged.bytes + found.acknowledgedBytes, at);
      this.#startFrom(position, found, arrived);
      return 'counted';
    };
    return { after: found.after, found: (entry) => found.add(entry), end, giveUp };
  }

  #startFrom(position: ChainPosition, found: Found, arrived: readonly Weighed[]): void {
    this.#hold([]);
    this.#revisions += 1;
    this.#counted = found.newest;
    this.#waiting = 0;
    this.#waitingBytes = 0;
    this.#newestCompactable = found.newestCompactable;
    if (position.streamSequence !== this.#position.streamSequence) this.#handedOut = 0;
    this.#position = position;
    this.#countedAt = position.acknowledged;
    this.#isMoved = true;
    for (const entry of arrived) if (entry.sequence > found.newest) this.#count(entry);
    this.#waiting += found.waiting;
    this.#waitingBytes += found.waitingBytes;
    if (found.waiting > 0) this.#oldest = found.oldest;
  }

  /** Up to so many of the oldest: from now on they may be sent, and must stay as they are until it is known whether they were. */
  handOut(limit: number): readonly OutboxEntry[] {
    const entries = this.#head.slice(0, limit);
    this.#handedOut = Math.max(this.#handedOut, entries.at(-1)?.sequence ?? 0);
    return entries;
  }

  /** None of what was handed out is on its way. */
  takeBack(): void {
    this.#handedOut = 0;
  }

  /** False where the books cannot follow, because the chain was found elsewhere between the sending and its answer: recount. */
  acknowledge(position: ChainPosition, at: number): boolean {
    const count = this.#head.findIndex(({ sequence }) => sequence === position.acknowledged) + 1;
    const isCounted = count > 0 && this.#countedAt === this.#position.acknowledged;
    const bytes = this.#releaseOldest(count === 0 ? this.#head.length : count);
    this.#position = position;
    this.#handedOut = 0;
    this.#isMoved = true;
    if (!isCounted) return false;
    this.#countedAt = position.acknowledged;
    this.#waiting -= count;
    this.#waitingBytes -= bytes;
    this.#acknowledged.add(position.acknowledged, bytes, at);
    return true;
  }

  /**
   * To be called before entries that may be changed are read to be changed: none behind `fixedThrough` is handed out from here on
   * until `endRevision`.
   */
  beginRevision(): void {
    const kept = this.#head.findIndex(({ sequence }) => sequence > this.fixedThrough);
    if (kept !== -1) this.#hold(this.#head.slice(0, kept));
    this.#revisions += 1;
    this.#isRevised = true;
  }

  /** Whether entries are being changed: they cannot be read now. */
  get isRevised(): boolean {
    return this.#isRevised;
  }

  /** Entries were taken away and others put in their place. `oldest` where the oldest that may be changed were: what stands there now. */
  revised(less: { readonly entries: number; readonly bytes: number; readonly oldest: number | undefined }): void {
    if (less.oldest !== undefined && this.fixedThrough === this.#position.acknowledged) this.#oldest = less.oldest;
    this.#waiting -= less.entries;
    this.#waitingBytes -= less.bytes;
  }

  endRevision(): void {
    this.#isRevised = false;
  }

  /** What was acknowledged before the moment and is still on disk. */
  takeSettled(before: number): AcknowledgedNote | undefined {
    return this.#acknowledged.take(before);
  }

  /** It could not be removed from disk. */
  keepSettled(note: AcknowledgedNote): void {
    this.#acknowledged.putBack(note);
  }

  /** Whether the position changed since this was last asked. */
  takeMoved(): boolean {
    const isMoved = this.#isMoved;
    this.#isMoved = false;
    return isMoved;
  }

  /** The position could not be written: it counts as changed still. */
  keepMoved(): void {
    this.#isMoved = true;
  }

  #count({ sequence, bytes, isCompactable }: Weighed): void {
    if (this.#waiting === 0) this.#oldest = sequence;
    this.#waiting += 1;
    this.#waitingBytes += bytes;
    if (isCompactable) this.#newestCompactable = sequence;
  }

  #hold(entries: readonly WeighedEntry[]): void {
    this.#releaseOldest(this.#head.length);
    this.#head = [...entries];
    this.#memory.entries += entries.length;
    for (const { bytes } of entries) this.#memory.bytes += bytes;
  }

  #releaseOldest(count: number): number {
    let bytes = 0;
    for (let place = 0; place < count; place += 1) bytes += this.#head[place]?.bytes ?? 0;
    if (count > 0) this.#head = this.#head.slice(count);
    this.#memory.entries -= count;
    this.#memory.bytes -= bytes;
    return bytes;
  }
}
