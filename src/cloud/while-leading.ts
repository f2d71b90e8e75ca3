// Parts that only the leading hub runs: they start when the lease is won, and their failure is the hub's.
import { aborted } from '../kit/aborted.ts';
import type { Deadline } from '../kit/deadline.ts';
import type { Logger } from '../kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../kit/service.ts';
import { Supervisor } from '../kit/supervisor.ts';
import { TaskGroup } from '../kit/task-group.ts';

export class WhileLeading implements Service {
  readonly name = 'while-leading';
  readonly #lease: { readonly leads: boolean; readonly won: Promise<void> };
  readonly #supervisor: Supervisor;
  readonly #tasks = new TaskGroup();

  constructor(
    parts: readonly Service[],
    tools: { readonly lease: { readonly leads: boolean; readonly won: Promise<void> }; readonly logger: Logger },
  ) {
    this.#lease = tools.lease;
    this.#supervisor = new Supervisor(parts, tools);
  }

  get ended(): Promise<unknown> {
    return Promise.race([this.#tasks.ended, this.#supervisor.ended]);
  }

  /** Resolves at once: a hub that stands by has started. */
  start(_signal: AbortSignal): Promise<void> {
    this.#tasks.run('lead', async (signal) => {
      await Promise.race([this.#lease.won, aborted(signal)]);
      if (signal.aborted) return;
      await this.#supervisor.start(signal);
      await aborted(signal);
    });
    return Promise.resolve();
  }

  async stop(deadline: Deadline): Promise<void> {
    await this.#supervisor.stop(deadline);
    await this.#tasks.close(deadline);
  }

  health(): Health {
    return this.#lease.leads ? this.#supervisor.health() : HEALTHY;
  }
}
