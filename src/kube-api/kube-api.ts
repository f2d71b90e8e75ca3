// Composition root of the embedded Kubernetes API: store, rules, verbs and socket, started and stopped as one service.
import { join } from 'node:path';
import { systemClock, type Clock } from '../kit/clock.ts';
import type { Deadline } from '../kit/deadline.ts';
import type { Logger } from '../kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../kit/service.ts';
import { RunningApi } from './running-api.ts';

export interface KubeApiConfig {
  /** Holds objects, certificates, the token, and `kubeconfig`. Created when missing. */
  readonly dataDir: string;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

export interface KubeApiTools {
  readonly logger: Logger;
  /** The system's clock when absent. */
  readonly clock?: Clock;
}

/** An embedded Kubernetes API server. `kubectl --kubeconfig <kubeconfigFile>` is its client. */
export interface KubeApi extends Service {
  /** Where it serves, as `https://127.0.0.1:6443`. Known after start. */
  readonly url: string;
  /** Written whenever it starts to serve. */
  readonly kubeconfigFile: string;
}

/**
 * Start is refused with `KUBE_API_PORT_IN_USE`, `KUBE_API_LISTEN_REFUSED`, `KUBE_API_STORE_LOCKED` or
 * `KUBE_API_DATA_DIR_UNUSABLE`. Objects, CA and token in the data directory outlive a stop.
 */
export function createKubeApi(config: KubeApiConfig, tools: KubeApiTools): KubeApi {
  return new EmbeddedKubeApi(config, { logger: tools.logger, clock: tools.clock ?? systemClock });
}

class EmbeddedKubeApi implements KubeApi {
  readonly name = 'kube-api';
  readonly kubeconfigFile: string;
  readonly ended: Promise<unknown>;
  readonly #config: KubeApiConfig;
  readonly #tools: Required<KubeApiTools>;
  #settle!: (failure: unknown) => void;
  #giveUp = new AbortController();
  #starting: Promise<void> | undefined;
  #running: RunningApi | undefined;
  #stopping: Promise<void> | undefined;
  #failure: unknown;
  #url = '';

  constructor(config: KubeApiConfig, tools: Required<KubeApiTools>) {
    this.#config = config;
    this.#tools = tools;
    this.kubeconfigFile = join(config.dataDir, 'kubeconfig');
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  get url(): string {
    return this.#url;
  }

  start(signal: AbortSignal): Promise<void> {
    this.#stopping = undefined;
    this.#giveUp = new AbortController();
    this.#starting = this.#open(AbortSignal.any([signal, this.#giveUp.signal]));
    return this.#starting;
  }

  stop(deadline: Deadline): Promise<void> {
    this.#stopping ??= this.#close(deadline);
    return this.#stopping;
  }

  health(): Health {
    if (this.#failure !== undefined) return { state: 'failing', reason: 'the store of Kubernetes objects failed' };
    return this.#running === undefined ? { state: 'failing', reason: 'not running' } : HEALTHY;
  }

  async #open(signal: AbortSignal): Promise<void> {
    const config = { ...this.#config, kubeconfigFile: this.kubeconfigFile };
    const running = await RunningApi.open(config, this.#tools, signal);
    this.#running = running;
    this.#url = running.url;
    void running.failed.then((failure) => {
      if (failure !== undefined) this.#fail(failure);
    });
    this.#tools.logger.info({ url: running.url, kubeconfig: this.kubeconfigFile }, 'Kubernetes API is serving');
  }

  async #close(deadline: Deadline): Promise<void> {
    this.#giveUp.abort();
    await this.#starting?.catch(() => undefined); // whoever called start hears why it failed
    const running = this.#running;
    this.#running = undefined;
    await running?.close(deadline);
    if (running !== undefined) this.#settle(undefined);
  }

  #fail(failure: unknown): void {
    this.#failure = failure;
    this.#settle(failure);
  }
}
