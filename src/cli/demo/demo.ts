// The demo as a service: hub, edge node and counter as processes of their own, restarted when they are killed, stopped in order:
// first the device, then the edge node, which uses the time to hand over what it has, then the hub.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { KubeClient } from '../../cloud/kubernetes/kube-client.ts';
import { Deadline } from '../../kit/deadline.ts';
import { seconds } from '../../kit/units.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import type { LogLevel } from '../../kit/logger.ts';
import { asString, type JsonObject } from '../../wire/json.ts';
import { ChildProgram } from '../child-program.ts';
import { STOP_WITHIN } from '../run-service.ts';
import type { DemoAddresses } from './demo-addresses.ts';
import { applyCounter } from './demo-manifests.ts';

export const DEMO_NODE = 'demo';

export interface DemoConfig {
  readonly dataDir: string;
  readonly addresses: DemoAddresses;
  readonly logLevel: LogLevel;
}

/** Where everything listens, once it does. */
export interface DemoPlaces {
  readonly mqtt: string;
  readonly mqttWs: string;
  readonly edgeHttp: string;
  readonly kubernetes: string;
  readonly kubeconfig: string;
  readonly nats: string;
  readonly hubHttp: string;
  readonly pids: Readonly<Record<'hub' | 'nats' | 'edge' | 'counter', number | undefined>>;
}

export interface DemoTools {
  readonly say: (sentence: string) => void;
  readonly onCounted: (count: number) => void;
}

type Part = 'hub' | 'edge' | 'counter';

export class Demo implements Service {
  readonly name = 'demo';
  readonly #config: DemoConfig;
  readonly #tools: DemoTools;
  readonly #parts: Readonly<Record<Part, ChildProgram>>;
  /** What each part said when it began to serve. */
  readonly #said: Record<Part, JsonObject> = { hub: {}, edge: {}, counter: {} };
  #isPlugged = true;
  /** One pull or push at a time, in the order of the key presses. */
  #plugging: Promise<void> = Promise.resolve();

  constructor(config: DemoConfig, tools: DemoTools) {
    this.#config = config;
    this.#tools = tools;
    this.#parts = { hub: this.#part('hub'), edge: this.#part('edge'), counter: this.#part('counter') };
  }

  async start(signal: AbortSignal): Promise<void> {
    // Whoever waits for a part's first line then stops waiting.
    signal.addEventListener('abort', () => this.#close(), { once: true });
    try {
      await this.#startParts(signal);
    } catch (error) {
      await this.stop(Deadline.after(STOP_WITHIN));
      throw error;
    }
  }

  async #startParts(signal: AbortSignal): Promise<void> {
    mkdirSync(join(this.#config.dataDir, 'logs'), { recursive: true, mode: 0o700 });
    this.#tools.say('starting the hub: NATS, and a Kubernetes API of its own');
    await this.#parts.hub.start();
    signal.throwIfAborted();
    await this.#applyCounter(signal);
    this.#tools.say('starting the edge node');
    await this.#parts.edge.start();
    signal.throwIfAborted();
    this.#tools.say('starting the virtual counter');
    await this.#parts.counter.start();
  }

  async stop(deadline: Deadline): Promise<void> {
    const { counter, edge, hub } = this.#parts;
    this.#close();
    // Most of the time is the hub's: it has a server of its own to stop. What the edge node cannot hand over by then, it keeps.
    await counter.stop(Deadline.after(seconds(1)));
    await edge.stop(Deadline.after(seconds(3)));
    await hub.stop(deadline);
  }

  #close(): void {
    for (const part of Object.values(this.#parts)) part.close();
  }

  health(): Health {
    return HEALTHY;
  }

  get isPlugged(): boolean {
    return this.#isPlugged;
  }

  /** Stops the whole cloud side, or starts it again: what a cut cable is to the edge node. */
  togglePlug(): Promise<void> {
    this.#isPlugged = !this.#isPlugged;
    const isPlugged = this.#isPlugged;
    this.#plugging = this.#plugging
      .catch(() => undefined)
      .then(() => (isPlugged ? this.#parts.hub.start() : this.#parts.hub.stop(Deadline.after(STOP_WITHIN))));
    return this.#plugging;
  }

  /** After start. */
  get places(): DemoPlaces {
    const { hub, edge } = this.#said;
    const text = (from: JsonObject, field: string): string => asString(from[field]) ?? '';
    return {
      mqtt: text(edge, 'mqtt'),
      mqttWs: text(edge, 'mqttWs'),
      edgeHttp: text(edge, 'http'),
      kubernetes: text(hub, 'kubernetes'),
      kubeconfig: text(hub, 'kubeconfig'),
      nats: text(hub, 'nats'),
      hubHttp: text(hub, 'http'),
      pids: {
        hub: this.#parts.hub.pid,
        nats: typeof hub['natsServerPid'] === 'number' ? hub['natsServerPid'] : undefined,
        edge: this.#parts.edge.pid,
        counter: this.#parts.counter.pid,
      },
    };
  }

  #part(name: Part): ChildProgram {
    return new ChildProgram({
      name,
      args: () => [...this.#args(name), '--log-level', this.#config.logLevel],
      logFile: join(this.#config.dataDir, 'logs', `${name}.log`),
      onReady: (line) => {
        const isFirst = Object.keys(this.#said[name]).length === 0;
        this.#said[name] = line;
        if (!isFirst) this.#tools.say(`the ${name} is back (process ${String(line['pid'])})`);
      },
      onExit: (how) => {
        this.#tools.say(`the ${name} ended (${how}); starting it again`);
      },
      inOwnWords: (reason) => (name === 'edge' ? reason.replace('--http', '--edge-http') : reason),
      onLine: (line) => {
        if (typeof line['count'] === 'number') this.#tools.onCounted(line['count']);
      },
    });
  }

  #args(part: Part): readonly string[] {
    switch (part) {
      case 'hub':
        return ['hub', ...this.#hubArgs()];
      case 'edge':
        return ['edge', ...this.#edgeArgs()];
      case 'counter':
        return ['simulate', 'counter', '--mqtt', asString(this.#said.edge['mqtt']) ?? ''];
    }
  }

  #hubArgs(): readonly string[] {
    const { dataDir, addresses } = this.#config;
    const { kubernetes, nats, http } = this.#said.hub;
    const api = ['--api', again(addresses.api, kubernetes), '--http', again(addresses.http, http)];
    return [
      '--data-dir',
      dataDir,
      '--local-node',
      DEMO_NODE,
      '--nats-listen',
      again(addresses['nats-listen'], nats),
      ...api,
    ];
  }

  #edgeArgs(): readonly string[] {
    const { dataDir, addresses } = this.#config;
    const { mqtt, mqttWs, http } = this.#said.edge;
    const own = ['--data-dir', join(dataDir, 'edge'), '--credentials', join(dataDir, 'nodes', `${DEMO_NODE}.json`)];
    const sockets = ['--mqtt', again(addresses.mqtt, mqtt), '--mqtt-ws', again(addresses['mqtt-ws'], mqttWs)];
    return [...own, ...sockets, '--http', again(addresses['edge-http'], http)];
  }

  async #applyCounter(signal: AbortSignal): Promise<void> {
    const client = KubeClient.fromFile(this.places.kubeconfig);
    try {
      await applyCounter(client, signal);
    } finally {
      client.close();
    }
  }
}

/** With the port that was chosen at the first start, so that everybody finds the part again. */
function again(wanted: string, url: unknown): string {
  const port = /:(\d+)\/?$/.exec(typeof url === 'string' ? url : '')?.[1];
  return port === undefined ? wanted : wanted.replace(/\d+$/, port);
}
