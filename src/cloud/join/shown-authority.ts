// Shows the hub's certificate authority in Kubernetes, where `skerry token create` takes the pin from. Kubernetes may come later.
import { backoffDelay } from '../../kit/backoff.ts';
import type { Deadline } from '../../kit/deadline.ts';
import { messageOf } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { sleep } from '../../kit/sleep.ts';
import { TaskGroup } from '../../kit/task-group.ts';
import { seconds } from '../../kit/units.ts';
import type { JoinRecords } from './join-records.ts';

export interface ShownAuthorityTools {
  readonly records: Pick<JoinRecords, 'showAuthority'>;
  /** PEM. */
  readonly ca: () => string;
  readonly logger: Logger;
}

/** Somebody may have deleted it. */
const LOOK_AGAIN = seconds(60);
const RETRY = { first: seconds(1), most: seconds(30) };

export class ShownAuthority implements Service {
  readonly name = 'shown-authority';
  readonly #tools: ShownAuthorityTools;
  readonly #tasks = new TaskGroup();
  #problem: string | undefined = 'not shown yet';

  constructor(tools: ShownAuthorityTools) {
    this.#tools = tools;
  }

  get ended(): Promise<unknown> {
    return this.#tasks.ended;
  }

  start(_signal: AbortSignal): Promise<void> {
    this.#tasks.run('show', (signal) => this.#show(signal));
    return Promise.resolve();
  }

  stop(deadline: Deadline): Promise<void> {
    return this.#tasks.close(deadline);
  }

  health(): Health {
    if (this.#problem === undefined) return HEALTHY;
    return { state: 'degraded', reason: `tokens cannot be made: the authority is not in Kubernetes: ${this.#problem}` };
  }

  async #show(signal: AbortSignal): Promise<void> {
    const { records, ca, logger } = this.#tools;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        await records.showAuthority(ca());
        this.#problem = undefined;
        attempt = -1;
      } catch (error) {
        this.#problem = messageOf(error);
        logger.debug({ reason: this.#problem }, 'the authority is not shown in Kubernetes yet');
      }
      await sleep(attempt < 0 ? LOOK_AGAIN : backoffDelay(RETRY, attempt), signal);
    }
  }
}
