// Edge nodes in Kubernetes: a Node object from the first heartbeat on, Ready while heartbeats come, Unknown when they stop.
import type { Clock } from '../../kit/clock.ts';
import type { Deadline } from '../../kit/deadline.ts';
import { messageOf } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { sleep } from '../../kit/sleep.ts';
import { TaskGroup } from '../../kit/task-group.ts';
import { ms, seconds, type Duration } from '../../kit/units.ts';
import type { NatsLink, NatsMessage } from '../../nats/nats-link.ts';
import { serverMade } from '../../nats/server-made.ts';
import type { Forgeries } from '../forgeries.ts';
import { HEARTBEAT_SUBJECTS, nodeOfSubject } from '../../wire/nats-subjects.ts';
import { decodeHeartbeat } from '../../wire/node-reports.ts';
import { asObject, asString } from '../../wire/json.ts';
import type { EventRecorder } from '../kubernetes/event-recorder.ts';
import type { NodeApi } from '../kubernetes/node-api.ts';
import { ReconcileQueue } from '../reconcile-queue.ts';
import { NodeKeeper } from './node-keeper.ts';
import { MANAGED_BY, MANAGER } from './node-object.ts';

export interface NodesConfig {
  readonly renewEvery: Duration;
  readonly silentAfter: Duration;
}

export interface NodesTools {
  readonly forgeries: Forgeries;
  readonly link: Pick<NatsLink, 'subscribe'>;
  readonly api: NodeApi;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly isAdmitted: (node: string) => boolean;
  /** What the way down knows of a node. */
  readonly downstream: { generationOf(node: string): number; noteNode(node: string, indexAbove?: number): void };
  readonly floors: { noteNode(node: string): void };
  readonly clock: Clock;
  readonly logger: Logger;
}

export const NODE_TIMES: NodesConfig = { renewEvery: seconds(10), silentAfter: seconds(40) };

const LOOK_EVERY = ms(500);
const LIST_RETRY = seconds(2);
const LIST_AGAIN = seconds(3600);

export class Nodes implements Service {
  readonly name = 'nodes';
  readonly #config: NodesConfig;
  readonly #tools: NodesTools;
  readonly #tasks = new TaskGroup();
  readonly #queue: ReconcileQueue;
  readonly #keepers = new Map<string, NodeKeeper>();
  #startedAt: number | undefined;

  constructor(config: NodesConfig, tools: NodesTools) {
    this.#config = config;
    this.#tools = tools;
    this.#queue = new ReconcileQueue(tools);
  }

  get ended(): Promise<unknown> {
    return this.#tasks.ended;
  }

  start(_signal: AbortSignal): Promise<void> {
    this.#queue.open();
    this.#startedAt = this.#tools.clock.monotonic();
    this.#tools.link.subscribe(HEARTBEAT_SUBJECTS, (message) => this.#hear(message));
    this.#tasks.run('find nodes', (signal) => this.#findKnown(signal));
    this.#tasks.run('look after nodes', (signal) => this.#lookAfter(signal));
    return Promise.resolve();
  }

  async stop(deadline: Deadline): Promise<void> {
    await this.#tasks.close(deadline);
    await this.#queue.close(deadline);
  }

  health(): Health {
    return this.#queue.reason === undefined ? HEALTHY : { state: 'degraded', reason: this.#queue.reason };
  }

  /** Whether a node is heard; `undecided` until it was, or was silent for long enough since this hub works. */
  presenceOf(node: string): 'heard' | 'silent' | 'undecided' {
    const presence = this.#keepers.get(node)?.presence ?? 'undecided';
    if (presence !== 'undecided' || this.#startedAt === undefined) return presence;
    return this.#tools.clock.monotonic() - this.#startedAt < this.#config.silentAfter ? 'undecided' : 'silent';
  }

  /** Its key is void: what it says does not count any more, and Kubernetes shows it at once. */
  dismiss(node: string): void {
    const keeper = this.#keepers.get(node);
    keeper?.dismiss();
    if (keeper?.isDue() === true) this.#queue.add(keeper);
  }

  /** The server lets a node publish only its own heartbeat subject; the payload must say the same. */
  #hear(message: NatsMessage): void {
    const made = serverMade(message);
    if (made !== undefined) {
      this.#tools.forgeries.note('heartbeat', message.subject, made);
      return;
    }
    const heartbeat = decodeHeartbeat(message.data);
    const node = nodeOfSubject(message.subject);
    if (node === undefined || heartbeat?.node !== node || !this.#tools.isAdmitted(node)) {
      this.#tools.logger.debug({ subject: message.subject }, 'heartbeat refused');
      return;
    }
    this.#tools.downstream.noteNode(node, heartbeat.indexAbove);
    this.#tools.floors.noteNode(node);
    const keeper = this.#keeperOf(node);
    keeper.hear(heartbeat);
    if (keeper.isDue()) this.#queue.add(keeper);
  }

  #keeperOf(node: string): NodeKeeper {
    const known = this.#keepers.get(node);
    if (known !== undefined) return known;
    const { api, clock, downstream, events } = this.#tools;
    const made = new NodeKeeper(
      { node, ...this.#config },
      { api, clock, events, desiredGeneration: (name) => downstream.generationOf(name) },
    );
    this.#keepers.set(node, made);
    return made;
  }

  /** Nodes that a hub made earlier and that stay silent now must not stay Ready. */
  async #findKnown(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const found = await this.#list();
      for (const node of found ?? []) this.#keeperOf(node);
      // Later ones are made by this hub itself.
      await sleep(found === undefined ? LIST_RETRY : LIST_AGAIN, signal);
    }
  }

  async #list(): Promise<readonly string[] | undefined> {
    try {
      const nodes = await this.#tools.api.list(`${MANAGED_BY}=${MANAGER}`);
      return nodes.map((node) => asString(asObject(node['metadata'])?.['name'])).filter((name) => name !== undefined);
    } catch (error) {
      this.#tools.logger.debug({ reason: messageOf(error) }, 'nodes cannot be listed yet');
      return undefined;
    }
  }

  async #lookAfter(signal: AbortSignal): Promise<void> {
    while ((await sleep(LOOK_EVERY, signal)) === 'elapsed') {
      for (const keeper of this.#keepers.values()) if (keeper.isDue()) this.#queue.add(keeper);
    }
  }
}
