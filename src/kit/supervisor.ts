import { Deadline } from './deadline.ts';
import { messageOf } from './errors.ts';
import type { Logger } from './logger.ts';
import { HEALTHY, type Health, type Service } from './service.ts';
import { seconds } from './units.ts';

/** Owns the order: starts services as listed, stops them in reverse, and ends everything with the first failure. */
export class Supervisor implements Service {
  readonly name = 'supervisor';
  readonly ended: Promise<unknown>;
  readonly #services: readonly Service[];
  readonly #logger: Logger;
  readonly #started: Service[] = [];
  /** Aborted by a stop, so that a start under way goes no further. */
  readonly #halt = new AbortController();
  #begun: Promise<unknown> = Promise.resolve();
  #stopping: Promise<void> | undefined;
  #settle!: (failure: unknown) => void;

  constructor(services: readonly Service[], tools: { readonly logger: Logger }) {
    this.#services = services;
    this.#logger = tools.logger;
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  async start(signal: AbortSignal): Promise<void> {
    const starting = this.#startAll(AbortSignal.any([signal, this.#halt.signal]));
    this.#begun = Promise.allSettled([starting]);
    try {
      await starting;
    } catch (error) {
      await this.stop(Deadline.after(seconds(5)));
      throw error;
    }
  }

  /** Also during a start: what had started by then stops, the rest does not start, and the start rejects. */
  stop(deadline: Deadline): Promise<void> {
    this.#halt.abort();
    this.#stopping ??= this.#stopAll(deadline);
    return this.#stopping;
  }

  health(): Health {
    const states = this.#services.map((service) => ({ service, health: service.health() }));
    const worst =
      states.find(({ health }) => health.state === 'failing') ??
      states.find(({ health }) => health.state === 'degraded');
    return worst === undefined
      ? HEALTHY
      : { state: worst.health.state, reason: `${worst.service.name}: ${worst.health.reason ?? worst.health.state}` };
  }

  async #startAll(signal: AbortSignal): Promise<void> {
    for (const service of this.#services) {
      signal.throwIfAborted();
      await service.start(signal);
      this.#started.push(service);
      this.#watch(service);
    }
    signal.throwIfAborted();
  }

  async #stopAll(deadline: Deadline): Promise<void> {
    await deadline.wait(this.#begun, undefined);
    for (const service of this.#started.reverse()) {
      const begun = performance.now();
      await deadline.wait(this.#stopOne(service, deadline), undefined);
      this.#logger.debug({ service: service.name, ms: Math.round(performance.now() - begun) }, 'stopped');
    }
    this.#settle(undefined);
  }

  /** A service that breaks its promise not to reject must not keep the others from stopping. */
  async #stopOne(service: Service, deadline: Deadline): Promise<void> {
    try {
      await service.stop(deadline);
    } catch (error) {
      this.#logger.error({ service: service.name, reason: messageOf(error) }, 'did not stop in order');
    }
  }

  #watch(service: Service): void {
    void service.ended?.then((failure) => {
      if (failure === undefined || this.#stopping !== undefined) return;
      this.#logger.error({ service: service.name, reason: messageOf(failure) }, 'failed');
      this.#settle(failure);
    });
  }
}
