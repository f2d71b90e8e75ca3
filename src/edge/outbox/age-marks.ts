// Which entries are how old: every so often it is noted which was the newest. The older a note, the fewer of its like are kept, so
// that a month takes some hundreds of them and every age is known to a fiftieth. Pure.

export interface AgeMark {
  /** The newest entry at that time. */
  readonly sequence: number;
  /** The time, of the age clock. */
  readonly elapsed: number;
}

const PRECISION = 1 / 50;

export class AgeMarks {
  #marks: AgeMark[] = [];

  constructor(marks: Iterable<AgeMark> = []) {
    this.#marks = [...marks];
  }

  get newest(): AgeMark | undefined {
    return this.#marks.at(-1);
  }

  get count(): number {
    return this.#marks.length;
  }

  /** Notes the newest entry of now; returns the marks that are not needed any more. */
  add(mark: AgeMark): readonly AgeMark[] {
    this.#marks.push(mark);
    return this.#keepWhere((_, before, after) => {
      if (before === undefined || after === undefined) return true;
      return after.elapsed - before.elapsed > (mark.elapsed - after.elapsed) * PRECISION;
    });
  }

  /** It is no later than this: no mark is younger. */
  noneAfter(elapsed: number): void {
    if (!this.#marks.some((mark) => mark.elapsed > elapsed)) return;
    this.#marks = this.#marks.map((mark) => ({ ...mark, elapsed: Math.min(mark.elapsed, elapsed) }));
  }

  /** Forgets marks of which every entry is older than the sequence; returns them. */
  forgetBefore(sequence: number): readonly AgeMark[] {
    return this.#keepWhere((mark) => mark.sequence >= sequence);
  }

  /** The newest entry that is surely as old as that, or 0. */
  through(elapsed: number): number {
    return this.#marks.findLast((mark) => mark.elapsed <= elapsed)?.sequence ?? 0;
  }

  /** When the entry had surely been there; undefined for one that is newer than every mark. */
  thereAt(sequence: number): number | undefined {
    return this.#marks.find((mark) => mark.sequence >= sequence)?.elapsed;
  }

  #keepWhere(
    isKept: (mark: AgeMark, before: AgeMark | undefined, after: AgeMark | undefined) => boolean,
  ): readonly AgeMark[] {
    const kept: AgeMark[] = [];
    const dropped: AgeMark[] = [];
    for (const [place, mark] of this.#marks.entries()) {
      if (isKept(mark, kept.at(-1), this.#marks[place + 1])) kept.push(mark);
      else dropped.push(mark);
    }
    this.#marks = kept;
    return dropped;
  }
}
