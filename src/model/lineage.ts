// What copies of one disk have in common. A store counts what it enlists, and each start of it notes where the count stood: so
// two copies, which share their first starts, share exactly what was counted before they parted. Pure.

/** One start of a store. */
export interface Start {
  readonly incarnation: string;
  /** The incarnation before it; absent for a store's first, and where that is forgotten. */
  readonly after?: string;
  /** The newest sequence when it began: what this start enlists is newer. */
  readonly from: number;
}

/** A sequence under the name of the start that enlisted it. */
export interface Enlisted {
  readonly incarnation: string;
  readonly sequence: number;
}

/** Starts of one's own that a claim tells, and starts of others that it passes on. */
const TOLD = 100;
/** Starts of others that a store remembers. */
const REMEMBERED = 200;

export class Lineage {
  readonly #own: readonly Start[];
  readonly #others: ReadonlyMap<string, Start>;
  /** Each start of our own → the newest sequence that it enlisted. */
  readonly #ends = new Map<string, number>();

  /** `own`: the starts of this store, oldest first, the present one last. `others`: those of its copies, as far as known. */
  constructor(own: readonly Start[], others: readonly Start[]) {
    this.#own = own;
    this.#others = new Map(others.map((start) => [start.incarnation, start]));
    for (const [place, { incarnation }] of own.entries())
      this.#ends.set(incarnation, own[place + 1]?.from ?? Number.POSITIVE_INFINITY);
  }

  /** Whether one of our own starts had this name; a copy may have gone on under it. */
  isOwnStart(incarnation: string): boolean {
    return this.#ends.has(incarnation);
  }

  /** Whether it is of this store, and not what a copy enlisted after they parted. */
  isOurs({ incarnation, sequence }: Enlisted): boolean {
    return sequence <= (this.#ends.get(incarnation) ?? -1);
  }

  /**
   * Through which of our own sequences somebody has come who went, in order, as far as this one. `undefined` when it tells
   * nothing of ours: a store that is no copy, or one whose starts are not known here.
   */
  sharedThrough(reached: Enlisted): number | undefined {
    for (const { incarnation, sequence } of this.#wayTo(reached)) {
      const end = this.#ends.get(incarnation);
      if (end !== undefined) return Math.min(sequence, end);
    }
    return undefined;
  }

  /** Whether who went as far as the first went through the second on the way. */
  includes(reached: Enlisted, earlier: Enlisted): boolean {
    for (const { incarnation, sequence } of this.#wayTo(reached))
      if (incarnation === earlier.incarnation) return earlier.sequence <= sequence;
    return false;
  }

  /** The starts of another on its way to where it is, newest first, each with how far it went in it. */
  *#wayTo({ incarnation, sequence }: Enlisted): Generator<Enlisted> {
    const passed = new Set<string>();
    let through = sequence;
    for (let name: string | undefined = incarnation; name !== undefined && !passed.has(name);) {
      yield { incarnation: name, sequence: through };
      passed.add(name);
      const start = this.#others.get(name);
      through = Math.min(through, start?.from ?? 0);
      name = start?.after;
    }
  }

  /** What a claim says, for copies to learn from. */
  told(): readonly Start[] {
    return [...this.#own.slice(-TOLD), ...[...this.#others.values()].slice(-TOLD)];
  }

  /** The starts of others, with what somebody else told; the same list when nothing of it is news. */
  othersWith(known: readonly Start[], told: readonly Start[]): readonly Start[] {
    const news = told.filter(({ incarnation }) => !this.#ends.has(incarnation) && !this.#others.has(incarnation));
    return news.length === 0 ? known : [...known, ...news].slice(-REMEMBERED);
  }
}

/** The starts of a store whose past was written without counts: an entry still held tells where its start had begun. */
export function startsOfNames(
  names: readonly string[],
  oldestHeld: ReadonlyMap<string, number>,
  newest: number,
): readonly Start[] {
  let from = newest;
  const starts: Start[] = [];
  for (const incarnation of names.toReversed()) {
    from = Math.min(from, (oldestHeld.get(incarnation) ?? from + 1) - 1);
    starts.unshift({ incarnation, from });
  }
  return starts.map((start, place) => ({ ...start, ...afterOf(names[place - 1]) }));
}

export const afterOf = (incarnation: string | undefined): { readonly after?: string } =>
  incarnation === undefined ? {} : { after: incarnation };
