/** Whoever sends ever new long texts must not fill the memory with them. */
const LONGEST = 512;

/**
 * The results of a pure function, kept for the arguments that come again and again. Bounded: it begins anew when it
 * is full, and long arguments are none of those.
 */
export class Remembered<V> {
  readonly #results = new Map<string, V>();
  readonly #compute: (argument: string) => V;
  readonly #most: number;

  constructor(compute: (argument: string) => V, most = 10_000) {
    this.#compute = compute;
    this.#most = most;
  }

  get(argument: string): V {
    const known = this.#results.get(argument);
    if (known !== undefined) return known;
    if (argument.length > LONGEST) return this.#compute(argument);
    if (this.#results.size >= this.#most) this.#results.clear();
    const result = this.#compute(argument);
    this.#results.set(argument, result);
    return result;
  }
}
