// One active hub of those that serve the same Kubernetes API: the one that holds the Lease kube-system/skerry-hub. A hub that
// loses it ends; it does not step down and wait, because a process that starts anew knows nothing wrong.
import type { Clock } from '../../kit/clock.ts';
import { Deadline } from '../../kit/deadline.ts';
import { messageOf } from '../../kit/errors.ts';
import { Interruptible } from '../../kit/interruptible.ts';
import type { Logger } from '../../kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { sleep } from '../../kit/sleep.ts';
import { TaskGroup } from '../../kit/task-group.ts';
import { ms, seconds, type Duration } from '../../kit/units.ts';
import { asInteger, asObject, asString, type JsonObject } from '../../wire/json.ts';
import { kubeErrors } from './errors.ts';
import type { KubeAnswer, KubeClient, KubeRequest } from './kube-client.ts';
import { LEASE_TIMES, leadsFor, nextMove, seenAgain, type SeenLease } from './lease-rules.ts';

const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases';
const NAME = 'skerry-hub';
const PATH = `${LEASES}/${NAME}`;
/** Of one look and one write: several fit into the time after which a leader gives up. */
const PATIENCE = seconds(2);
const RELEASE_PATIENCE = seconds(1);

export interface LeaderLeaseTools {
  readonly identity: () => Promise<string>;
  readonly client: Pick<KubeClient, 'request'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class LeaderLease implements Service {
  readonly name = 'leader-lease';
  readonly #tools: LeaderLeaseTools;
  readonly #tasks = new TaskGroup();
  readonly #won: Promise<void>;
  #win!: () => void;
  #identity = '';
  #seen: SeenLease | undefined;
  /** As the API server gave it last: what is written back, changed. */
  #object: JsonObject = {};
  /** When the last renewal that succeeded was sent; `undefined`: does not lead. */
  #renewedAt: number | undefined;
  #reason: string | undefined = 'not looked at yet';
  #underWay: Promise<unknown> = Promise.resolve();

  constructor(tools: LeaderLeaseTools) {
    this.#tools = tools;
    this.#won = new Promise((resolve) => {
      this.#win = resolve;
    });
  }

  /** Settles with HUB_LEASE_LOST when it was held and is not any more. */
  get ended(): Promise<unknown> {
    return this.#tasks.ended;
  }

  /** Resolves when this hub leads. */
  get won(): Promise<void> {
    return this.#won;
  }

  get leads(): boolean {
    return this.#renewedAt !== undefined;
  }

  /** Who leads, as far as is known. */
  get holder(): string {
    return this.#seen?.holder ?? '';
  }

  /** Resolves at once: standing by is a way of running. */
  async start(_signal: AbortSignal): Promise<void> {
    this.#identity = await this.#tools.identity();
    this.#tasks.run('hold', (signal) => this.#hold(signal));
  }

  /** Releases the lease, so that another hub need not wait. */
  async stop(deadline: Deadline): Promise<void> {
    await this.#tasks.close(deadline);
    const patience = Deadline.after(ms(Math.min(RELEASE_PATIENCE, deadline.remaining())));
    await patience.wait(this.#underWay, undefined);
    if (!this.leads) return;
    this.#renewedAt = undefined;
    const request: KubeRequest = { method: 'PUT', path: PATH, body: this.#body('', false) };
    await this.#ask(request, patience.remaining()).catch((error: unknown) =>
      this.#tools.logger.debug({ reason: messageOf(error) }, 'lease not released'),
    );
  }

  health(): Health {
    return this.#reason === undefined ? HEALTHY : { state: 'degraded', reason: `leader lease: ${this.#reason}` };
  }

  async #hold(signal: AbortSignal): Promise<void> {
    const waits = new Interruptible(signal);
    while (!signal.aborted) {
      const step = this.#step();
      this.#underWay = Promise.allSettled([step]);
      const wait = await waits.wait(step);
      if (wait !== undefined) await sleep(wait, signal);
    }
  }

  /** One look or one write; resolves with the time until the next. Rejects with HUB_LEASE_LOST. */
  async #step(): Promise<Duration> {
    const now = this.#tools.clock.monotonic();
    const left = this.#renewedAt === undefined ? PATIENCE : leadsFor(this.#renewedAt, LEASE_TIMES, now);
    if (left <= 0) throw this.#lost();
    try {
      const wait = await this.#lookAndMove(Deadline.after(ms(Math.min(PATIENCE, left))));
      this.#reason = undefined;
      return wait;
    } catch (error) {
      if (kubeErrors.HUB_LEASE_LOST.is(error)) throw error;
      this.#reason = messageOf(error);
      this.#tools.logger.debug({ reason: this.#reason }, 'the lease cannot be had now');
      return ms(Math.min(LEASE_TIMES.lookEvery, Math.max(0, left - (this.#tools.clock.monotonic() - now))));
    }
  }

  /** A leader knows the lease that it wrote last; everybody else looks first. */
  async #lookAndMove(patience: Deadline): Promise<Duration> {
    if (!this.leads || this.#seen === undefined) await this.#look(patience);
    const now = this.#tools.clock.monotonic();
    const move = nextMove(this.#identity, this.#seen, now);
    if (typeof move === 'object') {
      if (this.leads) throw this.#lost();
      return ms(Math.min(move.wait, LEASE_TIMES.lookEvery));
    }
    const body = this.#body(this.#identity, this.holder !== this.#identity);
    const request: KubeRequest =
      move === 'create' ? { method: 'POST', path: LEASES, body } : { method: 'PUT', path: PATH, body };
    const answer = await this.#ask(request, patience.remaining());
    if (answer.status < 300) return this.#written(answer, now);
    // Somebody was quicker, or the lease was deleted: look again at once.
    this.#seen = undefined;
    return ms(0);
  }

  async #look(patience: Deadline): Promise<void> {
    const answer = await this.#ask({ method: 'GET', path: PATH }, patience.remaining());
    this.#note(answer.status === 200 ? answer.body : undefined);
  }

  #written(answer: KubeAnswer, sentAt: number): Duration {
    this.#note(answer.body);
    if (this.#renewedAt === undefined) this.#tools.logger.info({ holder: this.#identity }, 'this hub leads');
    this.#renewedAt = sentAt;
    this.#win();
    return LEASE_TIMES.renewEvery;
  }

  #note(object: JsonObject | undefined): void {
    this.#object = object ?? {};
    const spec = asObject(object?.['spec']) ?? {};
    const found = {
      holder: asString(spec['holderIdentity']) ?? '',
      duration: seconds(asInteger(spec['leaseDurationSeconds']) ?? LEASE_TIMES.duration / 1000),
      mark: asString(asObject(object?.['metadata'])?.['resourceVersion']) ?? '',
    };
    this.#seen = object === undefined ? undefined : seenAgain(this.#seen, found, this.#tools.clock.monotonic());
  }

  #body(holder: string, isChange: boolean): JsonObject {
    const time = new Date(this.#tools.clock.now()).toISOString().replace('Z', '000Z');
    const before = asObject(this.#object['spec']) ?? {};
    const spec = {
      ...before,
      holderIdentity: holder,
      leaseDurationSeconds: LEASE_TIMES.duration / 1000,
      renewTime: time,
      ...(isChange ? { acquireTime: time, leaseTransitions: (asInteger(before['leaseTransitions']) ?? 0) + 1 } : {}),
    };
    const metadata = { name: NAME, ...asObject(this.#object['metadata']) };
    return { ...this.#object, apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
  }

  /** A request that is given up in time: an API server that does not answer must not keep a leader from noticing. */
  async #ask(request: KubeRequest, patience: Duration): Promise<KubeAnswer> {
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(new Error('no answer in time')), patience);
    try {
      return await this.#tools.client.request(request, giveUp.signal);
    } finally {
      clearTimeout(timer);
    }
  }

  #lost(): Error {
    const holder = this.holder === this.#identity ? '' : this.holder;
    this.#renewedAt = undefined;
    return kubeErrors.HUB_LEASE_LOST({ lease: `kube-system/${NAME}`, holder, reason: this.#reason ?? '' });
  }
}
