// Messages that were handed over and have no verdict yet: each once, however often it is delivered, and no more bytes than agreed.
import type { Bytes } from '../kit/units.ts';
import type { Delivery } from './delivery.ts';

export class InHand {
  readonly #limit: Bytes;
  readonly #largest: Bytes;
  readonly #newest = new Map<string, Delivery>();
  #bytes = 0;
  readonly #freed: (() => void)[] = [];

  /** @param sizes `largest`: of one message; `limit` holds at least one such */
  constructor(sizes: { readonly limit: Bytes; readonly largest: Bytes }) {
    this.#limit = sizes.limit;
    this.#largest = sizes.largest;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#newest.size;
  }

  /** True for a message that is new here. Of one that is in hand already, its newest delivery is the one to answer. */
  take(delivery: Delivery): boolean {
    const isNew = !this.#newest.has(delivery.key);
    if (isNew) this.#bytes += delivery.data.byteLength;
    this.#newest.set(delivery.key, delivery);
    return isNew;
  }

  /** Lets go of it; the delivery to answer. */
  release(delivery: Delivery): Delivery {
    const newest = this.#newest.get(delivery.key) ?? delivery;
    if (this.#newest.delete(delivery.key)) this.#bytes -= delivery.data.byteLength;
    for (const tell of this.#freed.splice(0)) tell();
    return newest;
  }

  /** Resolves with how many messages of the largest size there is room for, once that is at least one. */
  async room(): Promise<number> {
    for (;;) {
      const messages = Math.floor((this.#limit - this.#bytes) / this.#largest);
      if (messages > 0) return messages;
      await new Promise<void>((resolve) => this.#freed.push(resolve));
    }
  }
}
