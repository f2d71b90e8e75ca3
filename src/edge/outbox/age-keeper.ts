// Knows how old the waiting entries are, also across restarts: keeps the age clock and its marks in the store, a small record each
// round in which anything waits.
import type { Clock } from '../../kit/clock.ts';
import type { Store } from '../store/store.ts';
import { jsonTable, orderedNumber } from '../store/store-layout.ts';
import { AgeClock, ranIn, type AgeState } from '../../kit/age-clock.ts';
import { isTimeKnown } from '../../kit/known-time.ts';
import { AgeMarks, type AgeMark } from './age-marks.ts';

const CLOCK = jsonTable<AgeState>('age-clock');
const MARKS = jsonTable<AgeMark>('age-mark');

/** How long the programs of this store ran so far, milliseconds, as far as that was kept. */
export async function ranBefore(store: Pick<Store, 'get'>): Promise<number> {
  const kept = await store.get(CLOCK, '');
  return kept === undefined ? 0 : ranIn(kept);
}

export class AgeKeeper {
  readonly #store: Store;
  readonly #clock: Clock;
  #ages: AgeClock;
  #marks = new AgeMarks();

  constructor(tools: { readonly store: Store; readonly clock: Clock }) {
    this.#store = tools.store;
    this.#clock = tools.clock;
    this.#ages = new AgeClock(undefined, this.#now());
  }

  async load(): Promise<void> {
    this.#ages = new AgeClock(await this.#store.get(CLOCK, ''), this.#now());
    const marks: AgeMark[] = [];
    for await (const [, mark] of this.#store.all(MARKS)) marks.push(mark);
    this.#marks = new AgeMarks(marks);
    this.#marks.noneAfter(this.#ages.elapsed);
  }

  /** To be called regularly, with the newest entry and the oldest that waits, if any does. */
  async note(newest: number, oldestWaiting: number | undefined): Promise<void> {
    this.#ages.advance(this.#now());
    this.#marks.noneAfter(this.#ages.elapsed);
    const dropped = [...this.#marks.forgetBefore(oldestWaiting ?? newest + 1)];
    const isNew = oldestWaiting !== undefined && newest > (this.#marks.newest?.sequence ?? 0);
    const mark = { sequence: newest, elapsed: this.#ages.elapsed };
    if (isNew) dropped.push(...this.#marks.add(mark));
    // Stamps that tell no time stand on how long the process ran (ADR 0038).
    const isOfUse = oldestWaiting !== undefined || dropped.length > 0 || !isTimeKnown(this.#clock.now());
    if (!isOfUse) return;
    await this.#store.commit((tx) => {
      tx.put(CLOCK, '', this.#ages.state);
      for (const { sequence } of dropped) tx.remove(MARKS, orderedNumber(sequence));
      if (isNew) tx.put(MARKS, orderedNumber(mark.sequence), mark);
    });
  }

  /** The newest entry that is surely older than that, or 0. */
  olderThan(age: number): number {
    return this.#marks.through(this.#ages.elapsed - age);
  }

  /** For how long the entry has surely been there. */
  ageOf(sequence: number): number {
    this.#ages.advance(this.#now());
    return Math.max(0, this.#ages.elapsed - (this.#marks.thereAt(sequence) ?? this.#ages.elapsed));
  }

  #now() {
    return { wall: this.#clock.now(), monotonic: this.#clock.monotonic() };
  }
}
