// Which nodes have joined and which keys are void, as Kubernetes has it now; whoever is thrown out there is out here at once.
import { backoffDelay } from '../../kit/backoff.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Deadline } from '../../kit/deadline.ts';
import { messageOf } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import type { Health, Service } from '../../kit/service.ts';
import { sleep } from '../../kit/sleep.ts';
import { TaskGroup } from '../../kit/task-group.ts';
import { ms, seconds } from '../../kit/units.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { KubeClient } from '../kubernetes/kube-client.ts';
import { ResourceWatch } from '../kubernetes/resource-watch.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { recordIn, SECRETS_PATH } from '../kubernetes/secret-records.ts';
import { REGISTRATIONS } from './join-records.ts';
import { JWT_LIFE } from './node-door.ts';
import { revocationsOf, type Registration } from './registration.ts';

export interface JoinedNodesTools {
  readonly client: KubeClient;
  /** User key → second, at or before which its JWTs are void: all that there are. Rejects while the server is away. */
  readonly revokeUsers: (revocations: ReadonlyMap<string, number>) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const RETRY = { first: ms(100), most: seconds(5) };

export class JoinedNodes implements Service {
  readonly name = 'joined-nodes';
  readonly #tools: JoinedNodesTools;
  readonly #watch: ResourceWatch<KubeObject>;
  readonly #tasks = new TaskGroup();
  readonly #registrations = new Map<string, Registration>();
  readonly #listeners: ((node: string) => void)[] = [];
  #wake: (() => void) | undefined;
  #isDue = false;
  #reason: string | undefined;

  constructor(tools: JoinedNodesTools) {
    this.#tools = tools;
    this.#watch = new ResourceWatch({ path: SECRETS_PATH, apiVersion: 'v1', kind: 'Secret' }, tools);
    this.#watch.onEvent((event) => {
      if (event.kind === 'present') this.#note(event.object);
      // Who is void is told whole. The first events are those of a whole list, so nobody is let in again by half of one.
      this.#due();
    });
  }

  get ended(): Promise<unknown> {
    return Promise.race([this.#tasks.ended, this.#watch.ended]);
  }

  /** Whether a node of that name has joined and not been thrown out since. */
  isJoined(node: string): boolean {
    return this.#registrations.get(node)?.state === 'joined';
  }

  /** Which node has, or had until it was thrown out, that key. */
  nodeOf(publicKey: string): string | undefined {
    return [...this.#registrations.values()].find((registration) => registration.publicKey === publicKey)?.node;
  }

  /** Of the nodes that have. */
  names(): readonly string[] {
    return [...this.#registrations.values()].filter(({ state }) => state === 'joined').map(({ node }) => node);
  }

  /** Register before `start`: hears of each node whose key was voided, also of those that were before. The listener must not throw. */
  onVoided(listener: (node: string) => void): void {
    this.#listeners.push(listener);
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#tasks.run('tell who is void', (stopped) => this.#tell(stopped));
    await this.#watch.start(signal);
  }

  async stop(deadline: Deadline): Promise<void> {
    await this.#watch.stop(deadline);
    this.#wake?.();
    await this.#tasks.close(deadline);
  }

  health(): Health {
    if (this.#reason === undefined) return this.#watch.health();
    return { state: 'degraded', reason: `NATS does not know yet which nodes are revoked: ${this.#reason}` };
  }

  /** A Secret that is gone, or cannot be read, does not take back what it said: a revoked node stays out until this hub restarts. */
  #note(secret: KubeObject): void {
    const registration = recordIn(secret as unknown as JsonObject, REGISTRATIONS);
    if (registration === undefined) return;
    this.#registrations.set(registration.node, registration);
    if (registration.state !== 'joined') for (const listener of this.#listeners) listener(registration.node);
  }

  #due(): void {
    this.#isDue = true;
    this.#wake?.();
  }

  async #tell(signal: AbortSignal): Promise<void> {
    let [told, attempt] = ['[]', 0];
    for (;;) {
      await this.#untilDue(signal);
      if (signal.aborted) return;
      const voided = this.#voided();
      const text = JSON.stringify([...voided].toSorted());
      if (text === told) continue;
      this.#reason = await this.#tried(voided);
      if (this.#reason === undefined) [told, attempt] = [text, 0];
      else {
        this.#isDue = true;
        await sleep(backoffDelay(RETRY, attempt, Math.random), signal);
        attempt += 1;
      }
    }
  }

  /** Why it failed, where it did. */
  async #tried(voided: ReadonlyMap<string, number>): Promise<string | undefined> {
    try {
      await this.#tools.revokeUsers(voided);
      this.#tools.logger.info({ keys: voided.size }, 'NATS knows which keys are void');
      return undefined;
    } catch (error) {
      this.#tools.logger.warn({ reason: messageOf(error) }, 'NATS could not be told which keys are void');
      return messageOf(error);
    }
  }

  #voided(): ReadonlyMap<string, number> {
    return revocationsOf(this.#registrations.values(), { now: this.#tools.clock.now(), longestLife: JWT_LIFE });
  }

  async #untilDue(signal: AbortSignal): Promise<void> {
    if (!this.#isDue) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    this.#wake = undefined;
    this.#isDue = false;
  }
}
