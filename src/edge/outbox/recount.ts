// What of a chain waits, and what is acknowledged, at another position than the one that its books were kept for: counted entry by
// entry as the disk is read. Pure.
import type { Weighed } from './outbox-key.ts';

/** Counts anew what the disk holds of a chain; begun before the disk is read, fed with every entry behind `after`, and ended. */
export interface Recount {
  readonly after: number;
  found(entry: Weighed): void;
  /** `moved`: the chain meanwhile stands elsewhere, so that nothing can be told; to be begun again. */
  end(at: number): 'counted' | 'moved';
  giveUp(): void;
}

/** What is found between the older of two positions and the end. */
export class Found {
  readonly after: number;
  readonly #acknowledged: number;
  readonly #acknowledgedBefore: number;
  newest: number;
  newestCompactable = 0;
  oldest = 0;
  waiting = 0;
  waitingBytes = 0;
  /** By how much more is acknowledged at the position than before; negative where the stream lost its tail. */
  acknowledgedBytes = 0;

  /** @param acknowledgedBefore the position up to which entries were counted as acknowledged until now */
  constructor(acknowledged: number, acknowledgedBefore: number) {
    this.#acknowledged = acknowledged;
    this.#acknowledgedBefore = acknowledgedBefore;
    this.newest = acknowledged;
    this.after = Math.min(acknowledged, acknowledgedBefore);
  }

  add({ sequence, bytes, isCompactable }: Weighed): void {
    this.newest = Math.max(this.newest, sequence);
    if (sequence <= this.#acknowledged) {
      this.acknowledgedBytes += bytes;
      return;
    }
    if (sequence <= this.#acknowledgedBefore) this.acknowledgedBytes -= bytes;
    if (this.waiting === 0) this.oldest = sequence;
    this.waiting += 1;
    this.waitingBytes += bytes;
    if (isCompactable) this.newestCompactable = sequence;
  }
}
