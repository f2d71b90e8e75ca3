const FIRST_SIZE = 64;

/** Whole numbers from 1, one bit each: what ten minutes publish fits into a few kilobytes per device. */
export class NumberSet {
  #bits = new Uint8Array(FIRST_SIZE);
  #size = 0;
  #greatest = 0;

  get size(): number {
    return this.#size;
  }

  /** 0 when there is none. */
  get greatest(): number {
    return this.#greatest;
  }

  has(number: number): boolean {
    return ((this.#bits[number >>> 3] ?? 0) & (1 << (number & 7))) !== 0;
  }

  /** False when it was there already. */
  add(number: number): boolean {
    if (this.has(number)) return false;
    const place = number >>> 3;
    if (place >= this.#bits.length) this.#growTo(place);
    this.#bits[place] = (this.#bits[place] ?? 0) | (1 << (number & 7));
    this.#size += 1;
    this.#greatest = Math.max(this.#greatest, number);
    return true;
  }

  /** In rising order. */
  *[Symbol.iterator](): Generator<number> {
    for (let number = 1; number <= this.#greatest; number += 1) if (this.has(number)) yield number;
  }

  #growTo(place: number): void {
    const larger = new Uint8Array(Math.max(place + 1, this.#bits.length * 2));
    larger.set(this.#bits);
    this.#bits = larger;
  }
}
