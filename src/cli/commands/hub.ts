import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { createHub, type Hub, type HubAddresses } from '../../cloud/hub.ts';
import { DEFAULT_NATS_PORT, HUB_DEFAULTS, type HubConfig, type HubNats } from '../../cloud/hub-config.ts';
import { createKubeApi, type KubeApi } from '../../kube-api/kube-api.ts';
import { codeOf } from '../../kit/errors.ts';
import type { Deadline } from '../../kit/deadline.ts';
import { createLogger, type Logger } from '../../kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { Supervisor } from '../../kit/supervisor.ts';
import { parseAddress, type SocketAddress } from '../addresses.ts';
import { duplicateWindowOf } from '../durations.ts';
import { cliErrors } from '../errors.ts';
import { listSetting, logLevelOf, requiredSetting, settingsOf, textSetting, type Settings } from '../options.ts';
import { printJson, printLine } from '../output.ts';
import { packageRoot } from '../package-root.ts';
import { refuseReadableSecrets } from '../secret-files.ts';
import { runService } from '../run-service.ts';
import { HUB_OPTIONS } from './option-tables.ts';

export async function runHub(command: Command): Promise<number> {
  const settings = await settingsOf(command, HUB_OPTIONS);
  const logger = createLogger(logLevelOf(settings, 'info'));
  const wanted = hubSettings(settings);
  refuseReadableSecrets(wanted.config.dataDir);
  const hub = new HubProcess(wanted, { logger });
  return runService(hub, {
    logger,
    onReady: () => {
      const { addresses, kubeconfigFile, natsServerPid } = hub;
      if (settings['output'] === 'json')
        printJson({ pid: process.pid, natsServerPid, ...addresses, kubeconfig: kubeconfigFile });
      else
        printLine(
          `hub: Kubernetes ${addresses.kubernetes} (kubeconfig ${kubeconfigFile}), NATS ${addresses.nats}, HTTP ${addresses.http}`,
        );
    },
  });
}

interface HubSettings {
  readonly config: Omit<HubConfig, 'kubeconfigFile'>;
  /** A cluster to use; otherwise the embedded API at `api`. */
  readonly kubeconfigFile: string | undefined;
  readonly api: SocketAddress;
}

function hubSettings(settings: Settings): HubSettings {
  const dataDir = resolve(
    requiredSetting(settings, 'data-dir', 'the folder in which the hub keeps its keys and its NATS server'),
  );
  const address = (key: string): SocketAddress =>
    parseAddress(`--${key}`, requiredSetting(settings, key, 'an address'));
  const kubeconfigFile = textSetting(settings, 'kubeconfig');
  return {
    kubeconfigFile,
    api: address('api'),
    config: {
      ...HUB_DEFAULTS,
      dataDir,
      // The embedded API is in this process: whoever holds its data directory leads.
      leaderLease: kubeconfigFile !== undefined,
      crdDir: join(packageRoot(), 'deploy', 'crds'),
      nats: natsOf(textSetting(settings, 'nats'), textSetting(settings, 'nats-listen')),
      localNodes: listSetting(settings, 'local-node'),
      http: address('http'),
      duplicateWindow: duplicateWindowOf(settings),
    },
  };
}

function natsOf(url: string | undefined, listen: string | undefined): HubNats {
  if (url !== undefined) return externalNats(url);
  if (listen === undefined) return { kind: 'managed', host: '127.0.0.1', port: DEFAULT_NATS_PORT, portAskedFor: false };
  return { kind: 'managed', ...parseAddress('--nats-listen', listen), portAskedFor: true };
}

function externalNats(text: string): HubNats {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['nats:', 'tls:'].includes(url.protocol)) {
    throw cliErrors.OPTION_INVALID({
      option: '--nats',
      value: text.replace(/:[^:@/]*@/, ':***@'),
      expected: 'nats://USER:PASSWORD@HOST:PORT, or nats://HOST:PORT of a server that believes this hub',
    });
  }
  if (url.username === '') return { kind: 'operator', url: `${url.protocol}//${url.host}` };
  const user = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  return { kind: 'external', url: `${url.protocol}//${url.host}`, user, password };
}

/** The embedded API, where no cluster is named, and then the hub, which reaches either through a kubeconfig. */
class HubProcess implements Service {
  readonly name = 'hub';
  readonly #supervisor: Supervisor;
  readonly #settings: HubSettings;
  readonly #logger: Logger;
  readonly #api: KubeApi | undefined;
  #hub: Hub | undefined;

  constructor(settings: HubSettings, { logger }: { readonly logger: Logger }) {
    this.#settings = settings;
    this.#logger = logger;
    const { dataDir } = settings.config;
    if (settings.kubeconfigFile === undefined) this.#api = createKubeApi({ dataDir, ...settings.api }, { logger });
    const hub: Service = {
      name: 'hub',
      start: (signal) => this.#startHub(signal),
      stop: (deadline) => this.#hub?.stop(deadline) ?? Promise.resolve(),
      health: () => this.#hub?.health() ?? HEALTHY,
    };
    this.#supervisor = new Supervisor(this.#api === undefined ? [hub] : [this.#api, hub], { logger });
  }

  /** Either part's failure; after start. */
  get ended(): Promise<unknown> {
    return Promise.race([this.#supervisor.ended, this.#hub?.ended ?? this.#supervisor.ended]);
  }

  get addresses(): HubAddresses {
    return this.#hub?.addresses ?? { nats: '', http: '', kubernetes: '' };
  }

  get natsServerPid(): number | undefined {
    return this.#hub?.natsServerPid;
  }

  get kubeconfigFile(): string {
    return this.#settings.kubeconfigFile ?? this.#api?.kubeconfigFile ?? '';
  }

  async start(signal: AbortSignal): Promise<void> {
    try {
      await this.#supervisor.start(signal);
    } catch (error) {
      if (codeOf(error) === 'KUBE_API_PORT_IN_USE') throw cliErrors.API_PORT_IN_USE(this.#settings.api, error);
      throw error;
    }
  }

  stop(deadline: Deadline): Promise<void> {
    return this.#supervisor.stop(deadline);
  }

  health(): Health {
    return this.#supervisor.health();
  }

  /** Made only now: the embedded API has just written its kubeconfig. */
  async #startHub(signal: AbortSignal): Promise<void> {
    const config = { ...this.#settings.config, kubeconfigFile: this.kubeconfigFile };
    const hub = createHub(config, { logger: this.#logger });
    await hub.start(signal);
    this.#hub = hub;
  }
}
