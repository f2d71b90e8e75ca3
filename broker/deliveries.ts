// Which client has had the publication that is being handed out, so that one whose subscriptions overlap gets it once. Aedes goes
// by a counter that publications get when they come, and takes a lower one for a repetition; but a retained publication takes a
// turn longer than one that came after it, and would be lost to everybody who listens to both.

/** The property of Aedes' client that it keeps the counter in. */
interface Deduplicating {
  duplicates: object;
}

export class Deliveries {
  #publication = 0;

  /** The next publication is being handed out; all its deliveries begin before the next call. */
  next(): void {
    this.#publication += 1;
  }

  /** @param brokerId under which Aedes asks */
  watch(client: object, brokerId: string): void {
    let had = 0;
    const get = (): number => (had === this.#publication ? Number.POSITIVE_INFINITY : 0);
    const set = (): void => {
      had = this.#publication;
    };
    (client as Deduplicating).duplicates = Object.defineProperty({}, brokerId, { get, set, configurable: true });
  }
}
