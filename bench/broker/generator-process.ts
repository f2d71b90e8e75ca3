// The generator, seen from its parent: one job at a time, on a core of its own.
import { once } from 'node:events';
import { startScript, type RunningBroker } from './brokers.ts';
import type { Job, Load, Result } from './job.ts';

export class Generator {
  readonly #child = startScript('./generator.js', 1);
  #jobs = 0;

  async run(load: Load, { port, pid }: RunningBroker): Promise<Result> {
    this.#jobs += 1;
    const job: Job = { ...load, name: `bench-${this.#jobs}`, port, brokerPid: pid };
    this.#child.send(job);
    const [{ result, error }] = (await once(this.#child, 'message')) as [{ result?: Result; error?: string }];
    if (result === undefined) throw new Error(error);
    return result;
  }

  stop(): void {
    this.#child.disconnect();
  }
}
