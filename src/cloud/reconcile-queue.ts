// Runs reconciliations, a bounded number at once and never two of the same node. Asking again while one runs makes it run again.
// While the neighbour that they need is away, one at a time tries.
import { backoffDelay } from '../kit/backoff.ts';
import type { Deadline } from '../kit/deadline.ts';
import { messageOf, SkerryError } from '../kit/errors.ts';
import type { Logger } from '../kit/logger.ts';
import { SharedBackoff } from '../kit/shared-backoff.ts';
import { ms, seconds } from '../kit/units.ts';

const AT_ONCE = 32;
const RETRY = { first: ms(50), most: seconds(5) };
/** All nodes together, so that thousands of them are no storm, and the first to get through opens the way for all. */
const AWAY = { first: ms(50), most: seconds(4) };

/** Something of a node that is made as it should be. */
export interface Reconcilable {
  readonly node: string;
  /** `again`: run once more; `held back`: nothing to do until somebody asks again. Rejects with an unavailable error. */
  reconcile(): Promise<'done' | 'held back' | 'again'>;
}

export class ReconcileQueue {
  readonly #logger: Logger;
  readonly #waiting = new Set<Reconcilable>();
  readonly #running = new Map<Reconcilable, Promise<void>>();
  readonly #timers = new Map<Reconcilable, NodeJS.Timeout>();
  readonly #failures = new Map<Reconcilable, number>();
  readonly #backoff = new SharedBackoff(AWAY, AT_ONCE);
  #immediate: NodeJS.Immediate | undefined;
  #resuming: NodeJS.Timeout | undefined;
  #isOpen = false;
  #reason: string | undefined;

  constructor(tools: { readonly logger: Logger }) {
    this.#logger = tools.logger;
  }

  /** Why the newest failure happened, until every node is done. */
  get reason(): string | undefined {
    return this.#failures.size === 0 ? undefined : this.#reason;
  }

  /** Nothing runs before; what was asked for waits. */
  open(): void {
    this.#isOpen = true;
    this.#kick();
  }

  pause(): void {
    this.#isOpen = false;
  }

  async close(deadline: Deadline): Promise<void> {
    this.pause();
    clearImmediate(this.#immediate);
    clearTimeout(this.#resuming);
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await deadline.wait(Promise.all(this.#running.values()), undefined);
  }

  /** At the end of this turn of the event loop, so that what changed together is written together. */
  add(node: Reconcilable): void {
    this.#waiting.add(node);
    this.#kick();
  }

  #kick(): void {
    if (!this.#isOpen || this.#waiting.size === 0) return;
    this.#immediate ??= setImmediate(() => {
      this.#immediate = undefined;
      this.#pump();
    });
  }

  #pump(): void {
    for (const node of this.#waiting) {
      if (!this.#isOpen || this.#running.size >= this.#backoff.places) break;
      if (this.#running.has(node)) continue;
      this.#waiting.delete(node);
      const running = this.#reconcile(node).finally(() => {
        this.#running.delete(node);
        this.#kick();
      });
      this.#running.set(node, running);
    }
    this.#resumeLater();
  }

  /** What waits while nobody may try goes on by itself, also when the wait was over since it was looked at. */
  #resumeLater(): void {
    if (!this.#isOpen || this.#waiting.size === 0 || this.#running.size > 0) return;
    clearTimeout(this.#resuming);
    this.#resuming = setTimeout(() => this.#kick(), this.#backoff.wait);
  }

  async #reconcile(node: Reconcilable): Promise<void> {
    try {
      const outcome = await node.reconcile();
      this.#backoff.succeeded();
      this.#failures.delete(node);
      if (outcome === 'again') this.add(node);
    } catch (error) {
      if (!(error instanceof SkerryError))
        this.#logger.error({ edge: node.node, reason: messageOf(error) }, 'reconciling failed in an unknown way');
      else if (error.kind === 'unavailable') this.#backoff.failed();
      this.#reason = messageOf(error);
      this.#logger.debug({ edge: node.node, reason: this.#reason }, 'not reconciled yet');
      this.#retry(node);
    }
  }

  #retry(node: Reconcilable): void {
    const failures = this.#failures.get(node) ?? 0;
    this.#failures.set(node, failures + 1);
    clearTimeout(this.#timers.get(node));
    this.#timers.set(
      node,
      setTimeout(
        () => {
          this.#timers.delete(node);
          this.add(node);
        },
        backoffDelay(RETRY, failures),
      ),
    );
  }
}
