import { ms, type Duration } from './units.ts';

/** A moment by which work must be over. Shared down a call chain, so that parts do not add up their own time-outs. */
export class Deadline {
  readonly #at: number;

  private constructor(at: number) {
    this.#at = at;
  }

  static after(duration: Duration): Deadline {
    return new Deadline(performance.now() + duration);
  }

  remaining(): Duration {
    return ms(Math.max(0, this.#at - performance.now()));
  }

  /** Resolves with the work's value, or with `late` once the deadline is over. The work itself goes on; it must not reject unheard. */
  async wait<T, L>(work: Promise<T>, late: L): Promise<T | L> {
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<L>((resolve) => {
      timer = setTimeout(() => {
        resolve(late);
      }, this.remaining());
    });
    try {
      return await Promise.race([work, over]);
    } finally {
      clearTimeout(timer);
    }
  }
}
