// Waits that one end cuts short. A race against a promise that lives as long as the process leaves something behind on it with every
// round; here nothing is left behind.

/** Waits for one thing after the other, until the signal aborts or somebody ends it. */
export class Interruptible {
  readonly #signal: AbortSignal;
  readonly #onAbort = (): void => this.end();
  #isOver = false;
  #error: Error | undefined;
  #interrupt: (() => void) | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    if (signal.aborted) this.end();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** As the work settles, or, once it is over, `undefined` or the error it ended with. The work itself goes on. One at a time. */
  wait<T>(work: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      this.#interrupt = () => (this.#error === undefined ? resolve(undefined) : reject(this.#error));
      if (this.#isOver) this.#interrupt();
      work.then(resolve, reject);
    });
  }

  /** Ends what is waited for now and everything later. The first end counts. */
  end(error?: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#error = error;
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#interrupt?.();
  }
}
