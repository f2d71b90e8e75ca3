// Keeps the streams and buckets of the NATS server as wanted: at start, and again after each connect, because a server that comes
// back may have lost its store. The parts that need them are told when they stand.
import { aborted } from '../kit/aborted.ts';
import { backoffDelay } from '../kit/backoff.ts';
import type { Deadline } from '../kit/deadline.ts';
import { messageOf } from '../kit/errors.ts';
import type { Logger } from '../kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../kit/service.ts';
import { sleep } from '../kit/sleep.ts';
import { TaskGroup } from '../kit/task-group.ts';
import { ms, seconds } from '../kit/units.ts';
import { ensureStreams } from '../nats/jetstream-admin.ts';
import type { NatsLink } from '../nats/nats-link.ts';
import type { StreamShape } from '../nats/stream-plan.ts';

const RETRY = { first: ms(50), most: seconds(5) };

export class Streams implements Service {
  readonly name = 'streams';
  readonly #wanted: readonly StreamShape[];
  readonly #link: NatsLink;
  readonly #logger: Logger;
  readonly #tasks = new TaskGroup();
  readonly #listeners: (() => void)[] = [];
  #round = 0;
  #reason: string | undefined = 'not checked yet';

  constructor(
    config: { readonly wanted: readonly StreamShape[] },
    tools: { readonly link: NatsLink; readonly logger: Logger },
  ) {
    this.#wanted = config.wanted;
    this.#link = tools.link;
    this.#logger = tools.logger;
  }

  get ended(): Promise<unknown> {
    return this.#tasks.ended;
  }

  /** Called each time the streams were made sure of after a connect. Register before `start`. */
  onReady(listener: () => void): void {
    this.#listeners.push(listener);
  }

  start(_signal: AbortSignal): Promise<void> {
    this.#link.onDisconnected(() => {
      this.#reason = 'no link to NATS';
    });
    let previous = Promise.resolve();
    this.#link.onConnected(() => {
      const round = (this.#round += 1);
      previous = previous.then(() => this.#ensure(round));
    });
    this.#tasks.run('keep', async (signal) => {
      await aborted(signal);
      await previous;
    });
    return Promise.resolve();
  }

  async stop(deadline: Deadline): Promise<void> {
    await this.#tasks.close(deadline);
  }

  health(): Health {
    return this.#reason === undefined ? HEALTHY : { state: 'degraded', reason: `streams: ${this.#reason}` };
  }

  /** Ends when a later connect has begun a round of its own. */
  async #ensure(round: number): Promise<void> {
    const signal = this.#tasks.signal;
    for (let attempt = 0; round === this.#round && this.#link.connected && !signal.aborted; attempt += 1) {
      try {
        await ensureStreams(this.#link, this.#wanted);
        this.#reason = undefined;
        for (const listener of this.#listeners) listener();
        return;
      } catch (error) {
        this.#reason = messageOf(error);
        this.#logger.debug({ reason: this.#reason }, 'streams are not in place yet');
        await sleep(backoffDelay(RETRY, attempt), signal);
      }
    }
  }
}
