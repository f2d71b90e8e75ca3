// Keeps the credentials of a node that joined alive: renews them at two thirds of their life, and at once when NATS takes them no more.
// A hub that is away, or that has revoked this node, stops nothing on the node.
import type { Clock } from '../../kit/clock.ts';
import type { Deadline } from '../../kit/deadline.ts';
import { isAbort, messageOf, SkerryError } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { sleep } from '../../kit/sleep.ts';
import { TaskGroup } from '../../kit/task-group.ts';
import { ms, seconds, type Duration } from '../../kit/units.ts';
import { lifeOf } from '../../nats/nats-jwt.ts';
import { askToRenew } from './hub-talk.ts';
import type { IdentityFiles, Joined } from './identity-files.ts';
import { waitAfterFailure, waitOfFresh, waitOfKept, type Life } from './renewal-schedule.ts';

export interface IdentityTools {
  readonly files: IdentityFiles;
  /** Called when there are fresh credentials: what is connected with the old ones connects anew. */
  readonly onRenewed: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random?: () => number;
}

const LOOK_EVERY = seconds(1);
/** However often NATS refuses, the hub is not asked more often. */
const LEAST_APART = seconds(5);

export class IdentityKeeper implements Service {
  readonly name = 'identity';
  readonly #tools: IdentityTools;
  readonly #random: () => number;
  readonly #tasks = new TaskGroup();
  #identity: Joined;
  /** By the monotonic clock; `undefined`: never. */
  #due: number | undefined;
  #asked = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #problem: SkerryError | undefined;

  constructor(identity: Joined, tools: IdentityTools) {
    this.#identity = identity;
    this.#tools = tools;
    this.#random = tools.random ?? Math.random;
  }

  get ended(): Promise<unknown> {
    return this.#tasks.ended;
  }

  /** With what the node shows NATS who it is. */
  get nats(): Joined['nats'] {
    return this.#identity.nats;
  }

  /** PEM of the hub's authority. */
  get ca(): string {
    return this.#identity.ca;
  }

  start(_signal: AbortSignal): Promise<void> {
    const { clock } = this.#tools;
    this.#dueIn(waitOfKept(this.#life(), clock.now(), this.#random));
    this.#tasks.run('renew', (signal) => this.#renewWhenDue(signal));
    return Promise.resolve();
  }

  stop(deadline: Deadline): Promise<void> {
    return this.#tasks.close(deadline);
  }

  health(): Health {
    if (this.#problem === undefined) return HEALTHY;
    return { state: 'degraded', reason: `credentials are not renewed: ${messageOf(this.#problem)}` };
  }

  /** NATS did not take the credentials: whatever the clocks say, they are of no use any more. */
  refused(): void {
    const earliest = this.#asked + LEAST_APART;
    if (this.#failures === 0) this.#due = Math.min(this.#due ?? earliest, Math.max(this.#now(), earliest));
  }

  async #renewWhenDue(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#due !== undefined && this.#now() >= this.#due) await this.#renew(signal);
      await sleep(LOOK_EVERY, signal);
    }
  }

  async #renew(signal: AbortSignal): Promise<void> {
    this.#asked = this.#now();
    try {
      const renewed = await askToRenew(this.#identity, signal);
      await this.#tools.files.keepJoined(renewed);
      this.#take(renewed);
    } catch (error) {
      if (signal.aborted && isAbort(error)) return;
      this.#failed(error);
    }
  }

  #take(renewed: Joined): void {
    this.#identity = renewed;
    this.#failures = 0;
    this.#problem = undefined;
    this.#dueIn(waitOfFresh(this.#life(), this.#random));
    this.#tools.logger.info({ hub: renewed.hub, node: renewed.node }, 'credentials renewed');
    this.#tools.onRenewed();
  }

  #failed(error: unknown): void {
    if (!(error instanceof SkerryError)) throw error;
    const { hub, node } = this.#identity;
    const fields = { hub, node, reason: messageOf(error) };
    const isNew = this.#problem?.message !== error.message;
    this.#problem = error;
    if (isNew && error.kind === 'refused')
      this.#tools.logger.warn(fields, 'the hub does not renew the credentials of this node; work on the node goes on');
    else this.#tools.logger.debug(fields, 'credentials not renewed yet');
    this.#dueIn(waitAfterFailure(this.#failures, error.kind === 'refused', this.#random));
    this.#failures += 1;
  }

  #dueIn(wait: Duration | undefined): void {
    this.#due = wait === undefined ? undefined : this.#now() + wait;
  }

  #now(): Duration {
    return ms(this.#tools.clock.monotonic());
  }

  /** A JWT that cannot be read is renewed at once. */
  #life(): Life {
    return lifeOf(this.#identity.nats.jwt) ?? { issuedAt: 0, expiresAt: 0 };
  }
}
