// A hub with real neighbours for one test: the embedded Kubernetes API, a managed nats-server, a data dir of its own.
import { copyFile, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHub, type Hub } from '../../../src/cloud/hub.ts';
import { HUB_DEFAULTS, type HubConfig } from '../../../src/cloud/hub-config.ts';
import { KubeClient, MERGE_PATCH } from '../../../src/cloud/kubernetes/kube-client.ts';
import type { DeviceStatus } from '../../../src/cloud/kubernetes/resources.ts';
import { createKubeApi, type KubeApi } from '../../../src/kube-api/kube-api.ts';
import { Deadline } from '../../../src/kit/deadline.ts';
import { createLogger, silentLogger, type Logger } from '../../../src/kit/logger.ts';
import { ms, seconds } from '../../../src/kit/units.ts';
import { NatsLink } from '../../../src/nats/nats-link.ts';
import type { JsonObject } from '../../../src/wire/json.ts';
import type { NatsAccess } from '../../../src/wire/node-identity.ts';
import { fullAccess } from '../../../src/cloud/full-access.ts';
import { waitUntil } from '../../support/wait-until.ts';

const NEVER = new AbortController().signal;
const MODELS = '/apis/devices.kubeedge.io/v1beta1/namespaces/default/devicemodels';
const DEVICES = '/apis/devices.kubeedge.io/v1beta1/namespaces/default/devices';

export const testLogger: Logger = process.env['SKERRY_TEST_LOG'] === undefined ? silentLogger : createLogger('debug');

export async function tempDir(): Promise<string> {
  return await mkdtemp(join(tmpdir(), 'skerry-hub-'));
}

export function hubConfig(dir: string, kubeconfigFile: string, changes: Partial<HubConfig> = {}): HubConfig {
  return {
    ...HUB_DEFAULTS,
    dataDir: join(dir, 'hub'),
    kubeconfigFile,
    crdDir: 'deploy/crds',
    nats: { kind: 'managed', host: '127.0.0.1', port: 0, portAskedFor: true },
    localNodes: ['edge-a'],
    http: { host: '127.0.0.1', port: 0 },
    statusInterval: ms(200),
    ...changes,
  };
}

/** Everything around a hub that outlives it. */
export class HubWorld implements AsyncDisposable {
  readonly dir: string;
  kube: KubeApi;
  readonly client: KubeClient;
  hub: Hub | undefined;
  /** Where there is one, hubs started later log here. */
  log: Logger | undefined;
  readonly #links: NatsLink[] = [];

  private constructor(dir: string, kube: KubeApi) {
    this.dir = dir;
    this.kube = kube;
    this.client = KubeClient.fromFile(kube.kubeconfigFile);
  }

  static async open(): Promise<HubWorld> {
    const dir = await tempDir();
    const kube = createKubeApi({ dataDir: join(dir, 'kube'), host: '127.0.0.1', port: 0 }, { logger: silentLogger });
    await kube.start(NEVER);
    return new HubWorld(dir, kube);
  }

  async startHub(changes: Partial<HubConfig> = {}): Promise<Hub> {
    const hub = createHub(hubConfig(this.dir, this.kube.kubeconfigFile, changes), { logger: this.log ?? testLogger });
    await hub.start(NEVER);
    this.hub = hub;
    return hub;
  }

  async startReadyHub(changes: Partial<HubConfig> = {}): Promise<Hub> {
    const hub = await this.startHub(changes);
    await waitUntil('the hub to be ready', () => hub.health().state === 'ok');
    return hub;
  }

  /** Stops the API server, lets `meanwhile` change what it holds where the hub does not see it, and starts it at its old address. */
  async restartKube(meanwhile: (client: KubeClient) => Promise<void>): Promise<void> {
    const port = Number(new URL(this.kube.url).port);
    const hidden = join(this.dir, 'hidden-kubeconfig');
    await this.kube.stop(Deadline.after(seconds(5)));
    const elsewhere = createKubeApi(this.#kubeConfig(0), { logger: silentLogger });
    await elsewhere.start(NEVER);
    await copyFile(elsewhere.kubeconfigFile, hidden);
    const client = KubeClient.fromFile(hidden);
    await meanwhile(client);
    client.close();
    await elsewhere.stop(Deadline.after(seconds(5)));
    this.kube = createKubeApi(this.#kubeConfig(port), { logger: silentLogger });
    await this.kube.start(NEVER);
  }

  /** Puts what the API server holds back to what `copyKube` kept. */
  async restoreKube(): Promise<void> {
    const port = Number(new URL(this.kube.url).port);
    await this.kube.stop(Deadline.after(seconds(5)));
    await rm(join(this.dir, 'kube'), { recursive: true });
    await this.copyKube(join(this.dir, 'kept'), join(this.dir, 'kube'));
    this.kube = createKubeApi(this.#kubeConfig(port), { logger: silentLogger });
    await this.kube.start(NEVER);
  }

  async copyKube(from = join(this.dir, 'kube'), to = join(this.dir, 'kept')): Promise<void> {
    await cp(from, to, { recursive: true });
  }

  #kubeConfig(port: number): { dataDir: string; host: string; port: number } {
    return { dataDir: join(this.dir, 'kube'), host: '127.0.0.1', port };
  }

  async stopHub(): Promise<void> {
    await this.hub?.stop(Deadline.after(seconds(10)));
    this.hub = undefined;
  }

  /** As the edge node would: with the credentials file that the hub wrote. */
  async linkAs(access: NatsAccess, inboxPrefix = '_INBOX__test'): Promise<NatsLink> {
    const link = new NatsLink({ credentials: () => access, clientName: 'test', inboxPrefix }, { logger: silentLogger });
    await link.start(NEVER);
    this.#links.push(link);
    await waitUntil('the link to NATS', () => link.connected);
    return link;
  }

  /** May do everything that the account may. */
  async fullLink(url = this.hub?.addresses.nats ?? ''): Promise<NatsLink> {
    return await this.linkAs(await fullAccess(join(this.dir, 'hub'), url));
  }

  async createCounter(name: string, changes: { model?: string; nodeName?: string } = {}): Promise<void> {
    await this.create(DEVICES, {
      apiVersion: 'devices.kubeedge.io/v1beta1',
      kind: 'Device',
      metadata: { name, namespace: 'default' },
      spec: {
        deviceModelRef: { name: changes.model ?? 'counter-model' },
        nodeName: changes.nodeName ?? 'edge-a',
        protocol: { protocolName: 'virtual', configData: { start: 5 } },
        properties: [{ name: 'status', desired: { value: '1' } }, { name: 'count' }],
      },
    });
  }

  async createModel(name = 'counter-model'): Promise<void> {
    await this.create(MODELS, {
      apiVersion: 'devices.kubeedge.io/v1beta1',
      kind: 'DeviceModel',
      metadata: { name, namespace: 'default' },
      spec: {
        protocol: 'virtual',
        protocolConfigData: { start: 1, step: 2 },
        properties: [
          { name: 'status', type: 'INT', accessMode: 'ReadWrite', minimum: '0', maximum: '2' },
          { name: 'count', type: 'INT', accessMode: 'ReadOnly' },
        ],
      },
    });
  }

  async create(path: string, body: JsonObject): Promise<void> {
    const { status, body: answer } = await this.client.request({ method: 'POST', path, body });
    if (status !== 201) throw new Error(`not created: ${JSON.stringify(answer)}`);
  }

  async device(name: string): Promise<{ metadata: { uid: string }; status?: DeviceStatus } | undefined> {
    const { status, body } = await this.client.request({ method: 'GET', path: `${DEVICES}/${name}` });
    return status === 200 ? (body as unknown as { metadata: { uid: string }; status?: DeviceStatus }) : undefined;
  }

  async patchDevice(name: string, body: JsonObject): Promise<void> {
    const path = `${DEVICES}/${name}`;
    await this.client.request({ method: 'PATCH', path, body, contentType: MERGE_PATCH });
  }

  async remove(collection: 'devices' | 'devicemodels', name: string): Promise<void> {
    const path = `${collection === 'devices' ? DEVICES : MODELS}/${name}`;
    await this.client.request({ method: 'DELETE', path });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const link of this.#links) await link.stop(Deadline.after(seconds(2)));
    await this.stopHub();
    this.client.close();
    await this.kube.stop(Deadline.after(seconds(5)));
    await rm(this.dir, { recursive: true, force: true });
  }
}
