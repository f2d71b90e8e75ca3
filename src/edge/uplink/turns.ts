// A long backlog must not keep the devices of this node waiting: encoding it is work of the same thread that answers them (G8). So
// only so many facts are taken up in one turn of the event loop; between turns sockets are read.
const FACTS_PER_TURN = 100;

export class Turns {
  #left = FACTS_PER_TURN;
  #next: Promise<void> | undefined;

  /** `undefined` when it may be done at once, else what to wait for first. */
  take(facts: number): Promise<void> | undefined {
    if (this.#left <= 0) return this.#after(facts);
    this.#spend(facts);
    return undefined;
  }

  async #after(facts: number): Promise<void> {
    while (this.#left <= 0) await this.#nextTurn();
    this.#spend(facts);
  }

  #spend(facts: number): void {
    this.#left -= facts;
    void this.#nextTurn();
  }

  #nextTurn(): Promise<void> {
    this.#next ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#next = undefined;
        this.#left = FACTS_PER_TURN;
        resolve();
      });
    });
    return this.#next;
  }
}
