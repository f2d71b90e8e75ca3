// Owns the loops of a service: no floating promise, no silent end. A loop that returns without being asked, or throws
// anything but an abort, is a failure of the service; `ended` tells.
import { setMaxListeners } from 'node:events';
import type { Deadline } from './deadline.ts';
import { isAbort } from './errors.ts';

export class TaskGroup {
  readonly #controller = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #settle!: (failure: unknown) => void;
  /** Settles with the first failure, or with `undefined` after `close`. Never rejects. */
  readonly ended: Promise<unknown>;

  constructor() {
    // Whatever waits within a task listens: Node would warn of a leak from the eleventh on.
    setMaxListeners(0, this.#controller.signal);
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  run(name: string, task: (signal: AbortSignal) => Promise<void>): void {
    const running = this.#watch(name, task).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async close(deadline: Deadline): Promise<void> {
    this.#controller.abort();
    await deadline.wait(Promise.all(this.#running), undefined);
    this.#settle(undefined);
  }

  async #watch(name: string, task: (signal: AbortSignal) => Promise<void>): Promise<void> {
    try {
      await task(this.signal);
      if (!this.signal.aborted) this.#settle(new Error(`the loop "${name}" ended without being asked`));
    } catch (error) {
      if (!(this.signal.aborted && isAbort(error))) this.#settle(error);
    }
  }
}
