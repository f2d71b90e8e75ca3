// A hub and an edge node as processes on free ports, with a few devices that count numbers: what the journeys travel through.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubeClient } from '../../src/cloud/kubernetes/kube-client.ts';
import type { DeviceResource } from '../../src/cloud/kubernetes/resources.ts';
import { CuttableRoad } from './cuttable-road.ts';
import { startProgram, type Program } from './program.ts';
import { tempDir } from './temp-dir.ts';
import { waitUntil } from './wait-until.ts';
import { fullAccess } from '../../src/cloud/full-access.ts';
import type { NatsAccess } from '../../src/wire/node-identity.ts';

/** Where a part runs and listens: a command that it is started by, and hosts that are not the loopback's. */
export interface Place {
  readonly prefix?: readonly string[];
  readonly api?: string;
  readonly nats?: string;
  readonly http?: string;
  readonly mqtt?: string;
  /** More options of its command. */
  readonly options?: readonly string[];
}

const NODE = 'site';
const LOOPBACK = '127.0.0.1';
const CREATED_AT_ONCE = 20;
const DEVICES = '/apis/devices.kubeedge.io/v1beta1/namespaces/default';

export class SmallSite implements AsyncDisposable {
  readonly dir: string;
  readonly #removeDir: () => PromiseLike<void>;
  readonly #places: { readonly hub: Place; readonly edge: Place };
  hub!: Program;
  #road: CuttableRoad | undefined;
  edge!: Program;
  /** Addresses chosen at the first start, taken again afterwards. */
  #ports: { api: string; nats: string; http: string; mqtt: string };

  private constructor(
    dir: string,
    places: { readonly hub: Place; readonly edge: Place },
    removeDir: () => PromiseLike<void>,
  ) {
    this.dir = dir;
    this.#places = places;
    this.#removeDir = removeDir;
    const { api = LOOPBACK, nats = LOOPBACK, http = LOOPBACK } = places.hub;
    const { mqtt = LOOPBACK } = places.edge;
    this.#ports = { api: `${api}:0`, nats: `${nats}:0`, http: `${http}:0`, mqtt: `${mqtt}:0` };
  }

  static async start(
    devices: readonly string[],
    places: { readonly hub: Place; readonly edge: Place } = { hub: {}, edge: {} },
  ): Promise<SmallSite> {
    const dir = await tempDir();
    const site = new SmallSite(dir.path, places, () => dir[Symbol.asyncDispose]());
    await site.startHub();
    site.#ports = {
      ...site.#ports,
      api: host(site.hub.text('kubernetes')),
      nats: host(site.hub.text('nats')),
      http: host(site.hub.text('http')),
    };
    await site.startEdge();
    site.#ports = { ...site.#ports, mqtt: host(site.edge.text('mqtt')) };
    for (let from = 0; from < devices.length; from += CREATED_AT_ONCE)
      await Promise.all(devices.slice(from, from + CREATED_AT_ONCE).map((device) => site.createDevice(device)));
    return site;
  }

  get mqttUrl(): string {
    return `mqtt://${this.#ports.mqtt}`;
  }

  get kubeconfig(): string {
    return join(this.dir, 'hub', 'kubeconfig');
  }

  async startHub(): Promise<void> {
    const { api, nats, http } = this.#ports;
    const sockets = ['--api', api, '--nats-listen', nats, '--http', http];
    this.hub = await startProgram(
      ['hub', '--data-dir', join(this.dir, 'hub'), '--local-node', NODE, ...sockets],
      this.#places.hub,
    );
  }

  async startEdge(): Promise<void> {
    const credentials = ['--credentials', await this.#credentials()];
    const sockets = [
      '--mqtt',
      this.#ports.mqtt,
      '--mqtt-ws',
      'off',
      '--http',
      `${this.#places.edge.http ?? LOOPBACK}:0`,
    ];
    this.edge = await startProgram(
      ['edge', '--data-dir', join(this.dir, 'edge'), ...credentials, ...sockets, ...(this.#places.edge.options ?? [])],
      this.#places.edge,
    );
  }

  /** From its next start on the edge node reaches the hub over a road that can be cut. */
  async layRoad(): Promise<CuttableRoad> {
    this.#road = await CuttableRoad.to(`nats://${this.#ports.nats}`);
    return this.#road;
  }

  async #credentials(): Promise<string> {
    const file = join(this.dir, 'hub', 'nodes', `${NODE}.json`);
    if (this.#road === undefined) return file;
    const written = JSON.parse(await readFile(file, 'utf8')) as { nats: object };
    const overRoad = join(this.dir, 'credentials-over-road.json');
    const nats = { ...written.nats, url: `nats://${this.#road.host}` };
    await writeFile(overRoad, JSON.stringify({ ...written, nats }), { mode: 0o600 });
    return overRoad;
  }

  /** Of the nats-server that runs now. */
  async natsServerPid(): Promise<number> {
    return Number(await readFile(join(this.dir, 'hub', 'nats', 'nats-server.pid'), 'utf8'));
  }

  async natsAccess(): Promise<NatsAccess> {
    return await fullAccess(join(this.dir, 'hub'), `nats://${this.#ports.nats}`);
  }

  /** A device with one property, `number`, bound to the node; resolves when the node knows it. */
  async createDevice(name: string): Promise<void> {
    const model = {
      kind: 'DeviceModel',
      metadata: { name: 'numbers' },
      spec: { properties: [{ name: 'number', type: 'INT', accessMode: 'ReadWrite' }] },
    };
    const properties = [{ name: 'number', visitors: { protocolName: 'virtualProtocol', configData: {} } }];
    const spec = {
      deviceModelRef: { name: 'numbers' },
      nodeName: NODE,
      protocol: { protocolName: 'virtualProtocol' },
      properties,
    };
    await this.#create('devicemodels', model);
    await this.#create('devices', { kind: 'Device', metadata: { name }, spec });
    await waitUntil(
      `the edge node to know ${name}`,
      async () => (await fetch(`${this.edge.text('http')}/twins/default/${name}`)).ok,
      15_000,
    );
  }

  async device(name: string): Promise<DeviceResource> {
    return this.#asked(
      async (client) =>
        (await client.request({ method: 'GET', path: `${DEVICES}/devices/${name}` })).body as unknown as DeviceResource,
    );
  }

  async reported(name: string): Promise<string | undefined> {
    const { status } = await this.device(name);
    return status?.twins?.find(({ propertyName }) => propertyName === 'number')?.reported?.value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.edge.stop();
    await this.#road?.[Symbol.asyncDispose]();
    await this.hub.stop();
    await this.#removeDir();
  }

  async #create(plural: string, manifest: object): Promise<void> {
    const body = { apiVersion: 'devices.kubeedge.io/v1beta1', ...manifest };
    await waitUntil(`the API to take ${plural}`, async () =>
      this.#asked(
        async (client) => (await client.request({ method: 'POST', path: `${DEVICES}/${plural}`, body })).status !== 404,
      ),
    );
  }

  async #asked<T>(ask: (client: KubeClient) => Promise<T>): Promise<T> {
    const client = KubeClient.fromFile(this.kubeconfig);
    try {
      return await ask(client);
    } finally {
      client.close();
    }
  }
}

const host = (url: string): string => new URL(url.replace(/^[a-z]+:/, 'http:')).host;
