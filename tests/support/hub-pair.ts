// Two hubs over a nats-server and a Kubernetes API that belong to neither, one edge node, and devices that count numbers.
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

export type HubName = 'a' | 'b';

export class HubPair implements AsyncDisposable {
  readonly dir: string;
  readonly nats: TestNats;
  readonly kube: KubeApi;
  readonly client: KubeClient;
  readonly hubs = new Map<HubName, Program>();
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

  /** Hub a leads, hub b stands by. */
  static async start(devices: readonly string[]): Promise<HubPair> {
    const dir = await tempDir();
    const kube = createKubeApi(
      { dataDir: join(dir.path, 'kube'), host: '127.0.0.1', port: 0 },
      { logger: silentLogger },
    );
    await kube.start(new AbortController().signal);
    const pair = new HubPair(dir.path, { nats: await startNats([USER]), kube }, () => dir[Symbol.asyncDispose]());
    await pair.startHub('a');
    await pair.leads('a', 5000);
    await pair.startHub('b');
    await pair.startEdge();
    for (const device of devices) await pair.createDevice(device);
    return pair;
  }

  async startHub(name: HubName): Promise<void> {
    const { user, password, url } = this.nats;
    const nats = url.replace('://', `://${user}:${password}@`);
    const options = ['--kubeconfig', this.kube.kubeconfigFile, '--nats', nats, '--http', '127.0.0.1:0'];
    this.hubs.set(name, await startProgram(['hub', '--data-dir', join(this.dir, `hub-${name}`), ...options]));
  }

  hub(name: HubName): Program {
    const hub = this.hubs.get(name);
    if (hub === undefined) throw new Error(`hub ${name} was not started`);
    return hub;
  }

  async status(name: HubName): Promise<{ readonly leads: boolean; readonly leader: string }> {
    const answer = await fetch(`${this.hub(name).text('http')}/status`);
    return (await answer.json()) as { leads: boolean; leader: string };
  }

  /** Resolves with the milliseconds until that hub leads and is well. */
  async leads(name: HubName, within: number): Promise<number> {
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

  async want(name: string, value: string): Promise<void> {
    const visitors = { protocolName: 'virtualProtocol', configData: {} };
    const body = { spec: { properties: [{ name: 'number', visitors, desired: { value } }] } };
    await this.client.request({
      ...{ method: 'PATCH', path: `${COLLECTIONS}/devices/${name}`, body },
      contentType: MERGE_PATCH,
    });
  }

  /** What the edge node holds to be desired. */
  async desired(name: string): Promise<string> {
    return await (await fetch(`${this.edge.text('http')}/twins/default/${name}`)).text();
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
    await writeFile(file, JSON.stringify({ node: NODE, nats: { url: this.nats.url, user, password } }));
    const sockets = ['--mqtt', '127.0.0.1:0', '--mqtt-ws', 'off', '--http', '127.0.0.1:0'];
    this.edge = await startProgram(['edge', '--data-dir', join(this.dir, 'edge'), '--credentials', file, ...sockets]);
  }

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
    await waitUntil(
      `the edge node to know ${name}`,
      async () => (await fetch(`${this.edge.text('http')}/twins/default/${name}`)).ok,
      15_000,
    );
  }

  async #create(plural: string, manifest: object): Promise<void> {
    const body = { apiVersion: 'devices.kubeedge.io/v1beta1', ...manifest };
    await this.client.request({ method: 'POST', path: `${COLLECTIONS}/${plural}`, body });
  }
}
