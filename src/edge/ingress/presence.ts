// Whether devices are there, from what they leave unsaid: the coming and going of their clients, and silence. The book says what
// follows, the state rules what it means; here is the second hand that both need, and what is due goes into the twins.
import type { ClientWatcher, Departure, WatchedClient } from '../../../broker/index.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Deadline } from '../../kit/deadline.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { TaskGroup } from '../../kit/task-group.ts';
import { seconds, type Duration } from '../../kit/units.ts';
import type { DeviceDefinition, DeviceId } from '../../model/device.ts';
import { judge, lastSeen, type Observation } from '../../model/state-rules.ts';
import type { Twin } from '../../model/twin.ts';
import { outboxErrors } from '../outbox/errors.ts';
import { storeErrors } from '../store/errors.ts';
import { PresenceBook, type Due, type PresenceTimes } from './presence-book.ts';

export interface PresenceTools {
  readonly definitions: () => Iterable<DeviceDefinition>;
  readonly twins: () => Iterable<Twin>;
  readonly twinOf: (device: DeviceId) => Twin | undefined;
  /** Rejects where the outbox or the disk is full: it is tried again. */
  readonly keep: (device: DeviceId, observation: Observation) => Promise<void>;
  readonly clock: Clock;
}

export const PRESENCE_TIMES: PresenceTimes = {
  grace: seconds(5),
  startGrace: seconds(30),
  signEvery: seconds(60),
};

const EVERY = seconds(1);
/** Time in which this process stood still is nobody's silence: what was said meanwhile was not read yet. */
const MOST_AT_ONCE = seconds(2);

export class Presence implements Service, ClientWatcher {
  readonly name = 'presence';
  readonly #tools: PresenceTools;
  readonly #book: PresenceBook;
  readonly #tasks = new TaskGroup();
  #wake: () => void = () => undefined;

  constructor(times: PresenceTimes, tools: PresenceTools) {
    this.#tools = tools;
    this.#book = new PresenceBook(times);
  }

  get ended(): Promise<unknown> {
    return this.#tasks.ended;
  }

  start(_signal: AbortSignal): Promise<void> {
    this.#book.know([...this.#tools.definitions()]);
    this.#book.recall(this.#tools.twins());
    this.#tasks.signal.addEventListener('abort', () => this.#wake(), { once: true });
    this.#tasks.run('watch', (signal) => this.#watch(signal));
    return Promise.resolve();
  }

  /** Whoever is cut off because the node stops has not gone: stop this before the sockets. */
  async stop(deadline: Deadline): Promise<void> {
    await this.#tasks.close(deadline);
  }

  health(): Health {
    return HEALTHY;
  }

  connected({ id }: WatchedClient): void {
    this.#book.connected(id);
    this.#wake();
  }

  gone({ id }: WatchedClient, how: Departure): void {
    this.#book.gone(id, how, this.#tools.clock.now());
  }

  /** See `PresenceBook`. Called for each publication of a device. */
  heard(definition: DeviceDefinition, clientId: string, isNews: boolean): void {
    this.#book.heard(definition, clientId, isNews);
  }

  /** When the device was last alive: one whose own client is connected is so now. */
  seenAt(twin: Twin): number | undefined {
    return this.#book.isOwnConnected(twin) ? this.#tools.clock.now() : lastSeen(twin);
  }

  isSignDue(device: DeviceId): boolean {
    return this.#book.isSignDue(device);
  }

  told(device: DeviceId): void {
    this.#book.told(device);
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { clock } = this.#tools;
    let last = clock.monotonic();
    while (!signal.aborted) {
      await this.#pause(EVERY);
      const now = clock.monotonic();
      this.#book.pass(Math.min(now - last, MOST_AT_ONCE));
      last = now;
      this.#book.know([...this.#tools.definitions()]);
      await Promise.all(this.#book.due().map((due) => this.#keep(due)));
    }
  }

  #pause(duration: Duration): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, duration);
      this.#wake = () => {
        clearTimeout(timer);
        // Those who connect together are looked at together.
        setImmediate(resolve);
      };
      if (this.#tasks.signal.aborted) this.#wake();
    });
  }

  async #keep({ device, observation, done }: Due): Promise<void> {
    const { twinOf, keep } = this.#tools;
    try {
      if (mayBeNews(twinOf(device), observation)) await keep(device, observation);
      done();
    } catch (error) {
      // Store and outbox say so themselves; what is due stays so, and is tried again in the next round.
      if (!storeErrors.STORE_UNAVAILABLE.is(error) && !outboxErrors.OUTBOX_FULL.is(error)) throw error;
    }
  }
}

/** Silence is looked at every second. All else is judged in its turn: what is on disk now may be contradicted by what is on its way. */
function mayBeNews(twin: Twin | undefined, { evidence, client }: Observation): boolean {
  if (evidence !== undefined && evidence !== 'silence') return true;
  const state = twin?.state;
  return state?.client !== client || (evidence !== undefined && judge(state?.state, evidence) !== undefined);
}
