// What last wills take of the room that all of them have, each from its CONNECT on until it is over. Pure bookkeeping.
import type { Bytes } from '../../src/kit/units.ts';

export class WillRoom {
  readonly #limit: Bytes;
  readonly #sizes = new Map<object, number>();
  #bytes = 0;

  constructor({ willBytes }: { readonly willBytes: Bytes }) {
    this.#limit = willBytes;
  }

  get total(): { readonly wills: number; readonly bytes: number } {
    return { wills: this.#sizes.size, bytes: this.#bytes };
  }

  /** False, taking nothing, when there is no room. `leaving`: a will that is about to be over. */
  take(will: object, size: number, leaving?: object): boolean {
    const freed = leaving === undefined ? 0 : (this.#sizes.get(leaving) ?? 0);
    if (this.#bytes - freed + size > this.#limit) return false;
    this.hold(will, size);
    return true;
  }

  /** Whatever the limit, unless it has its room. */
  hold(will: object, size: number): void {
    if (this.#sizes.has(will)) return;
    this.#sizes.set(will, size);
    this.#bytes += size;
  }

  give(will: object): void {
    this.#bytes -= this.#sizes.get(will) ?? 0;
    this.#sizes.delete(will);
  }
}
