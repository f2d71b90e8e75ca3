// "This edge is alive", with what the Node object in Kubernetes shows. A core message: the next one replaces it, so none is kept.
import { arch, cpus, hostname, platform, release, totalmem } from 'node:os';
import type { Deadline } from '../../kit/deadline.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { sleep } from '../../kit/sleep.ts';
import { TaskGroup } from '../../kit/task-group.ts';
import { seconds } from '../../kit/units.ts';
import type { NatsLink } from '../../nats/nats-link.ts';
import { heartbeatSubject } from '../../wire/nats-subjects.ts';
import { encodeHeartbeat, type NodeProblem } from '../../wire/node-reports.ts';

export interface HeartbeatTools {
  readonly link: NatsLink;
  readonly incarnation: () => string;
  readonly indexGeneration: () => number;
  readonly indexAbove: () => number | undefined;
  readonly backlog: () => number;
  readonly problem: () => NodeProblem | undefined;
}

const EVERY = seconds(5);

export class HeartbeatSender implements Service {
  readonly name = 'heartbeat';
  readonly #config: { readonly node: string; readonly version: string };
  readonly #tools: HeartbeatTools;
  readonly #tasks = new TaskGroup();

  constructor(config: { readonly node: string; readonly version: string }, tools: HeartbeatTools) {
    this.#config = config;
    this.#tools = tools;
  }

  get ended(): Promise<unknown> {
    return this.#tasks.ended;
  }

  start(_signal: AbortSignal): Promise<void> {
    this.#tools.link.onConnected(() => {
      this.send();
    });
    this.#tasks.run('beat', async (signal) => {
      while ((await sleep(EVERY, signal)) === 'elapsed') this.send();
    });
    return Promise.resolve();
  }

  async stop(deadline: Deadline): Promise<void> {
    await this.#tasks.close(deadline);
  }

  health(): Health {
    return HEALTHY;
  }

  /** At once, besides the regular ones: for news that people wait for. */
  send(): void {
    const { node, version } = this.#config;
    const problem = this.#tools.problem();
    const indexAbove = this.#tools.indexAbove();
    const heartbeat = encodeHeartbeat({
      node,
      incarnation: this.#tools.incarnation(),
      version,
      os: platform(),
      architecture: arch(),
      kernel: release(),
      hostname: hostname(),
      cpus: cpus().length,
      memoryBytes: totalmem(),
      indexGeneration: this.#tools.indexGeneration(),
      backlog: this.#tools.backlog(),
      ...(indexAbove === undefined ? {} : { indexAbove }),
      ...(problem === undefined ? {} : { problem }),
    });
    this.#tools.link.publish(heartbeatSubject(node), heartbeat);
  }
}
