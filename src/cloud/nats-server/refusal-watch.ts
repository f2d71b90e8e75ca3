// Whom the managed nats-server refuses, counted and told in the hub's own log by the name of the node. The server tells nobody
// but its log: there is no event of a permission that was missing.
import type { Deadline } from '../../kit/deadline.ts';
import { messageOf } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import { Tally } from '../../kit/metrics.ts';
import { Sampler } from '../../kit/sampler.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { sleep } from '../../kit/sleep.ts';
import { TaskGroup } from '../../kit/task-group.ts';
import { ms, seconds } from '../../kit/units.ts';
import { NATS_REFUSALS, refusalOf, type NatsRefusal, type RefusedByNats } from './refusals.ts';
import { ServerLog } from './server-log.ts';

export interface RefusalWatchTools {
  /** Whose key it is. */
  readonly nodeOf: (publicKey: string) => string | undefined;
  readonly logger: Logger;
}

const LOOK_EVERY = ms(500);
const LINES = 5;
const LINES_PER = seconds(10);
/** Of a subject that is as long as its sender likes. */
const SHOWN = 128;

export class RefusalWatch implements Service {
  readonly name = 'nats-refusals';
  readonly #log: ServerLog;
  readonly #tools: RefusalWatchTools;
  readonly #tally = new Tally<NatsRefusal>(NATS_REFUSALS);
  readonly #lines = new Sampler<NatsRefusal>(LINES, LINES_PER);
  readonly #tasks = new TaskGroup();
  #reason: string | undefined;

  constructor(config: { readonly logFile: string }, tools: RefusalWatchTools) {
    this.#log = new ServerLog(config.logFile);
    this.#tools = tools;
  }

  get ended(): Promise<unknown> {
    return this.#tasks.ended;
  }

  /** By reason, since the start of the hub. In a flood of megabytes a second some are not counted. */
  get counts(): Readonly<Record<NatsRefusal, number>> {
    return this.#tally.counts;
  }

  async start(_signal: AbortSignal): Promise<void> {
    await this.#log.begin();
    this.#tasks.run('read the log', (signal) => this.#watch(signal));
  }

  async stop(deadline: Deadline): Promise<void> {
    await this.#tasks.close(deadline);
    await this.#log.close();
  }

  health(): Health {
    return this.#reason === undefined
      ? HEALTHY
      : { state: 'degraded', reason: `the log of the nats-server cannot be read: ${this.#reason}` };
  }

  async #watch(signal: AbortSignal): Promise<void> {
    while ((await sleep(LOOK_EVERY, signal)) === 'elapsed') {
      try {
        for (const line of await this.#log.lines()) this.#take(refusalOf(line));
        this.#reason = undefined;
      } catch (error) {
        this.#reason = messageOf(error);
      }
    }
  }

  #take(refused: RefusedByNats | undefined): void {
    if (refused === undefined) return;
    const { reason, address, user, subject } = refused;
    this.#tally.add(reason);
    const leftOut = this.#lines.take(reason, performance.now());
    if (leftOut === undefined) return;
    const node = user === undefined ? undefined : this.#tools.nodeOf(user);
    const fields = { reason, address, node, user, subject: subject?.slice(0, SHOWN) };
    this.#tools.logger.warn({ ...fields, ...(leftOut > 0 && { linesLeftOut: leftOut }) }, 'refused by NATS');
  }
}
