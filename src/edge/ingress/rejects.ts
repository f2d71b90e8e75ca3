// Refused publications → a fact on the event chain of their device, so that people see them in Kubernetes. Counted in memory: a kill
// forgets what was not told yet, at most a minute of it.
import type { Clock } from '../../kit/clock.ts';
import type { Deadline } from '../../kit/deadline.ts';
import { Tally } from '../../kit/metrics.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { sleep } from '../../kit/sleep.ts';
import { TaskGroup } from '../../kit/task-group.ts';
import { seconds } from '../../kit/units.ts';
import type { DeviceId } from '../../model/device.ts';
import { outboxErrors } from '../outbox/errors.ts';
import { storeErrors } from '../store/errors.ts';
import { REFUSAL_KINDS, type Refusal } from './device-answers.ts';
import { RejectTally, type Untold } from './reject-tally.ts';

export interface RejectsTools {
  /** Enlists the fact. */
  readonly tell: (untold: Untold) => Promise<void>;
  /** Whether the device is of this node: whoever names others must not fill the memory. */
  readonly isKnown: (device: DeviceId) => boolean;
  readonly clock: Clock;
}

const EVERY = seconds(1);

export class Rejects implements Service {
  readonly name = 'rejects';
  /** Refused publications, by what was wrong. */
  readonly counts = new Tally(REFUSAL_KINDS);
  readonly #tools: RejectsTools;
  readonly #tally = new RejectTally();
  readonly #tasks = new TaskGroup();

  constructor(tools: RejectsTools) {
    this.#tools = tools;
  }

  get ended(): Promise<unknown> {
    return this.#tasks.ended;
  }

  start(_signal: AbortSignal): Promise<void> {
    this.#tasks.run('tell', async (signal) => {
      while ((await sleep(EVERY, signal)) === 'elapsed') await this.#tellDue(this.#tools.clock.monotonic());
    });
    return Promise.resolve();
  }

  /** Tells what is left, whether it is its time or not. */
  async stop(deadline: Deadline): Promise<void> {
    await this.#tasks.close(deadline);
    await deadline.wait(this.#tellDue(Number.POSITIVE_INFINITY), undefined);
  }

  health(): Health {
    return HEALTHY;
  }

  add({ kind, device, reason }: Refusal): void {
    this.counts.add(kind);
    const { clock, isKnown } = this.#tools;
    if (device === undefined || !isKnown(device)) return;
    this.#tally.add(device, reason, { monotonic: clock.monotonic(), wall: clock.now() });
  }

  async #tellDue(monotonic: number): Promise<void> {
    for (const untold of this.#tally.take(monotonic)) {
      try {
        await this.#tools.tell(untold);
      } catch (error) {
        this.#tally.putBack(untold);
        // Store and outbox say so themselves; it is tried again in the next round.
        if (!storeErrors.STORE_UNAVAILABLE.is(error) && !outboxErrors.OUTBOX_FULL.is(error)) throw error;
      }
    }
  }
}
