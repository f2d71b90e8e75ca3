// The trailing edge of sampled properties: a value that came too soon after another became no fact. Where the device then falls
// silent, the newest value is told here once its interval is over, as a fact like any other: stored, in order, and never lost.
// What is owed is read from the stored twins, so a restart forgets nothing.
import type { Deadline } from '../../kit/deadline.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { sleep } from '../../kit/sleep.ts';
import { TaskGroup } from '../../kit/task-group.ts';
import { seconds } from '../../kit/units.ts';
import type { DeviceId } from '../../model/device.ts';
import type { Twin } from '../../model/twin.ts';
import { owesFacts } from '../../model/reported-rules.ts';
import { outboxErrors } from '../outbox/errors.ts';
import { storeErrors } from '../store/errors.ts';

export interface OwedFactsTools {
  readonly twins: () => Iterable<Twin>;
  readonly tell: (device: DeviceId) => Promise<void>;
}

const EVERY = seconds(1);

export class OwedFacts implements Service {
  readonly name = 'owed-facts';
  readonly #tools: OwedFactsTools;
  readonly #tasks = new TaskGroup();

  constructor(tools: OwedFactsTools) {
    this.#tools = tools;
  }

  get ended(): Promise<unknown> {
    return this.#tasks.ended;
  }

  start(_signal: AbortSignal): Promise<void> {
    this.#tasks.run('tell', async (signal) => {
      while ((await sleep(EVERY, signal)) === 'elapsed') await this.#tellAll();
    });
    return Promise.resolve();
  }

  async stop(deadline: Deadline): Promise<void> {
    await this.#tasks.close(deadline);
  }

  health(): Health {
    return HEALTHY;
  }

  async #tellAll(): Promise<void> {
    const owing = [...this.#tools.twins()].filter(owesFacts);
    try {
      await Promise.all(owing.map((twin) => this.#tools.tell(twin)));
    } catch (error) {
      // Store and outbox say so themselves; what is owed stays so, and is tried again in the next round.
      if (!storeErrors.STORE_UNAVAILABLE.is(error) && !outboxErrors.OUTBOX_FULL.is(error)) throw error;
    }
  }
}
