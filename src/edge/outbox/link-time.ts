// Time as the server of the stream must have lived through it: what was acknowledged is beyond doubt only after the server has
// had the time to sync its disk, and one that is away syncs nothing. Pure.

/** Whether a chain's end in the stream has been seen in this session, and agreed with since. */
export type IsPlaced = (chain: string) => boolean;

export class LinkTime {
  #passed = 0;
  #session: { readonly since: number; readonly isPlaced: IsPlaced } | undefined;

  begin(now: number, isPlaced: IsPlaced): void {
    this.end(now);
    this.#session = { since: now, isPlaced };
  }

  end(now: number): void {
    this.#passed = this.at(now);
    this.#session = undefined;
  }

  /** How much of the time until now a session was open; never less than before. */
  at(now: number): number {
    return this.#passed + (this.#session === undefined ? 0 : Math.max(0, now - this.#session.since));
  }

  /** Whether the stream is known to hold what it acknowledged of the chain. */
  holds(chain: string): boolean {
    return this.#session?.isPlaced(chain) === true;
  }
}
