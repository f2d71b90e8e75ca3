// A nats-server and a Kubernetes API that belong to no hub, hubs over them, one edge node, and devices that count numbers.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubeClient, MERGE_PATCH } from '../../src/cloud/kubernetes/kube-client.ts';
import type { DeviceResource } from '../../src/cloud/kubernetes/resources.ts';
import { Deadline } from '../../src/kit/deadline.ts';
import { silentLogger } from '../../src/kit/logger.ts';
import { seconds } from '../../src/kit/units.ts';
import { createKubeApi, type KubeApi } from '../../src/kube-api/kube-api.ts';
import { nodePermissions } from '../../src/wire/nats-subjects.ts';
import { startNats, type TestNats } from './nats-server.ts';
import { startProgram, type Program } from './program.ts';
import { tempDir } from './temp-dir.ts';
import { waitUntil } from './wait-until.ts';

const NODE = 'site';
const USER = { user: 'node-site', password: 'node-password', permissions: nodePermissions(NODE) };
const COLLECTIONS = '/apis/devices.kubeedge.io/v1beta1/namespaces/default';

/** How a hub reaches its neighbours, where that is not straight. */
export interface HubRoads {
  readonly natsUrl?: string;
  readonly kubeconfig?: string;
  readonly onSpawn?: (pid: number) => void;
}

export class ClusterSite implements AsyncDisposable {
  readonly dir: string;
  readonly nats: TestNats;
  readonly kube: KubeApi;
  readonly client: KubeClient;
  readonly hubs = new Map<string, Program>();
  edge!: Program;
  readonly #removeDir: () => PromiseLike<void>;

  private constructor(
    dir: string,
    { nats, kube }: { nats: TestNats; kube: KubeApi },
    removeDir: () => PromiseLike<void>,
  ) {
    this.dir = dir;
    this.nats = nats;
    this.kube = kube;
    this.client = KubeClient.fromFile(kube.kubeconfigFile);
    this.#removeDir = removeDir;
  }

  /** With its edge node, and without a hub. */
  static async start(): Promise<ClusterSite> {
    const dir = await tempDir();
    const config = { dataDir: join(dir.path, 'kube'), host: '127.0.0.1', port: 0 };
    const kube = createKubeApi(config, { logger: silentLogger });
    await kube.start(new AbortController().signal);
    const nats = await startNats([USER]);
    const site = new ClusterSite(dir.path, { nats, kube }, () => dir[Symbol.asyncDispose]());
    await site.startEdge();
    return site;
  }

  async startHub(name: string, { natsUrl, kubeconfig, onSpawn }: HubRoads = {}): Promise<void> {
    const { user, password, url } = this.nats;
    const nats = (natsUrl ?? url).replace('://', `://${user}:${password}@`);
    const roads = ['--kubeconfig', kubeconfig ?? this.kube.kubeconfigFile, '--nats', nats];
    const options = ['--data-dir', join(this.dir, `hub-${name}`), ...roads, '--http', '127.0.0.1:0'];
    this.hubs.set(name, await startProgram(['hub', ...options], onSpawn === undefined ? {} : { onSpawn }));
  }

  hub(name: string): Program {
    const hub = this.hubs.get(name);
    if (hub === undefined) throw new Error(`hub ${name} was not started`);
    return hub;
  }

  async status(name: string): Promise<{ readonly leads: boolean; readonly leader: string }> {
    const answer = await fetch(`${this.hub(name).text('http')}/status`);
    return (await answer.json()) as { leads: boolean; leader: string };
  }

  /** Resolves with the milliseconds until that hub leads and is well. */
  async leads(name: string, within: number): Promise<number> {
    const begun = performance.now();
    await waitUntil(`hub ${name} to lead`, async () => (await this.status(name)).leads, within);
    await waitUntil(
      `hub ${name} to be ready`,
      async () => (await fetch(`${this.hub(name).text('http')}/readyz`)).ok,
      within,
    );
    return Math.round(performance.now() - begun);
  }

  async device(name: string): Promise<DeviceResource> {
    const { body } = await this.client.request({ method: 'GET', path: `${COLLECTIONS}/devices/${name}` });
    return body as unknown as DeviceResource;
  }

  async reported(name: string): Promise<string | undefined> {
    const { status } = await this.device(name);
    return status?.twins?.find(({ propertyName }) => propertyName === 'number')?.reported?.value;
  }

  async remove(name: string): Promise<void> {
    await this.client.request({ method: 'DELETE', path: `${COLLECTIONS}/devices/${name}` });
  }

  async want(name: string, value: string): Promise<void> {
    const visitors = { protocolName: 'virtualProtocol', configData: {} };
    const body = { spec: { properties: [{ name: 'number', visitors, desired: { value } }] } };
    await this.client.request({
      ...{ method: 'PATCH', path: `${COLLECTIONS}/devices/${name}`, body },
      contentType: MERGE_PATCH,
    });
  }

  /** The twin as the edge node has it, as text; `undefined` when it has none. */
  async atEdge(name: string): Promise<string | undefined> {
    const answer = await fetch(`${this.edge.text('http')}/twins/default/${name}`);
    return answer.ok ? await answer.text() : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.edge.stop();
    for (const hub of this.hubs.values()) await hub.stop();
    this.client.close();
    await this.kube.stop(Deadline.after(seconds(5)));
    await this.nats.stop();
    await this.#removeDir();
  }

  async startEdge(): Promise<void> {
    const file = join(this.dir, 'site.json');
    const { user, password } = USER;
    await writeFile(file, JSON.stringify({ node: NODE, nats: { url: this.nats.url, user, password } }), {
      mode: 0o600,
    });
    const sockets = ['--mqtt', '127.0.0.1:0', '--mqtt-ws', 'off', '--http', '127.0.0.1:0'];
    this.edge = await startProgram(['edge', '--data-dir', join(this.dir, 'edge'), '--credentials', file, ...sockets]);
  }

  /** Resolves when the node knows it; a hub, or its successor, must be running. */
  async createDevice(name: string): Promise<void> {
    const protocol = { protocolName: 'virtualProtocol' };
    await this.#create('devicemodels', {
      kind: 'DeviceModel',
      metadata: { name: 'numbers' },
      spec: { properties: [{ name: 'number', type: 'INT', accessMode: 'ReadWrite' }] },
    });
    const properties = [{ name: 'number', visitors: { protocolName: 'virtualProtocol', configData: {} } }];
    const spec = { deviceModelRef: { name: 'numbers' }, nodeName: NODE, protocol, properties };
    await this.#create('devices', { kind: 'Device', metadata: { name }, spec });
    await waitUntil(`the edge node to know ${name}`, () => this.atEdge(name));
  }

  async #create(plural: string, manifest: object): Promise<void> {
    const body = { apiVersion: 'devices.kubeedge.io/v1beta1', ...manifest };
    // Until a hub has made the definitions, nobody knows the kind.
    await waitUntil(
      `the API to take ${plural}`,
      async () =>
        (await this.client.request({ method: 'POST', path: `${COLLECTIONS}/${plural}`, body })).status !== 404,
      15_000,
    );
  }
}
