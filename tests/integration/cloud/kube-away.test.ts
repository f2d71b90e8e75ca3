// A Kubernetes API that is slow, silent or away: the stream is the buffer. The API is a process of its own, reached by a road that
// counts what the hub asks.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createHub, type Hub } from '../../../src/cloud/hub.ts';
import { KubeClient } from '../../../src/cloud/kubernetes/kube-client.ts';
import { Deadline } from '../../../src/kit/deadline.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { seconds } from '../../../src/kit/units.ts';
import { receiptOf } from '../../../src/nats/direct-get.ts';
import { NatsLink } from '../../../src/nats/nats-link.ts';
import { encodeBatch, encodeFact } from '../../../src/wire/device-events.ts';
import { chainSubject, UP_STREAM } from '../../../src/wire/nats-subjects.ts';
import { CountedRoads } from '../../support/counted-roads.ts';
import { startNats, type TestNats } from '../../support/nats-server.ts';
import { tempDir, type TempDir } from '../../support/temp-dir.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { hubConfig } from './running-hub.ts';

const NEVER = new AbortController().signal;
const COLLECTIONS = '/apis/devices.kubeedge.io/v1beta1/namespaces/default';
const DEVICES = 30;
const PADDING = 'x'.repeat(300_000);

class AwayWorld implements AsyncDisposable {
  readonly #dir: TempDir;
  readonly nats: TestNats;
  readonly roads = new CountedRoads();
  readonly link: NatsLink;
  api!: ChildProcess;
  client!: KubeClient;
  hub!: Hub;
  #port = '0';
  readonly #uids = new Map<string, string>();

  private constructor(dir: TempDir, nats: TestNats) {
    this.#dir = dir;
    this.nats = nats;
    const { url, user, password } = nats;
    const config = { credentials: () => ({ url, user, password }), clientName: 'test', inboxPrefix: '_INBOX_test' };
    this.link = new NatsLink(config, { logger: silentLogger });
  }

  static async open(): Promise<AwayWorld> {
    const world = new AwayWorld(await tempDir(), await startNats());
    await world.link.start(NEVER);
    const url = await world.startApi();
    const kubeconfig = join(world.#dir.path, 'kube', 'kubeconfig');
    world.client = KubeClient.fromFile(kubeconfig);
    const byRoad = join(world.#dir.path, 'kubeconfig-by-road');
    const port = await world.roads.to({ host: '127.0.0.1', port: Number(url.port) });
    await copyFile(kubeconfig, byRoad);
    await writeFile(byRoad, (await readFile(byRoad, 'utf8')).replace(url.host, `127.0.0.1:${port}`));
    const { user, password } = world.nats;
    const nats = { kind: 'external', url: world.nats.url, user, password } as const;
    world.hub = createHub(hubConfig(world.#dir.path, byRoad, { nats, localNodes: [] }), { logger: silentLogger });
    await world.hub.start(NEVER);
    await waitUntil('the hub to be ready', () => world.hub.health().state === 'ok');
    for (let n = 0; n < DEVICES; n += 1) await world.#create(`d${n}`);
    return world;
  }

  /** At its address, once it has had one. */
  async startApi(): Promise<URL> {
    const script = join(import.meta.dirname, '..', 'kube-api', 'api-process.js');
    this.api = spawn(process.execPath, [script, join(this.#dir.path, 'kube'), this.#port], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(this.api.stdout ?? this.api, 'data')) as [Buffer];
    const url = new URL(line.toString().trim());
    this.#port = url.port;
    return url;
  }

  /** A report of each device, as an edge node makes it. The padding makes the message as large as a rich batch. */
  async report(n: number, padding = ''): Promise<void> {
    for (const [name, uid] of this.#uids) {
      const device = { namespace: 'default', name };
      const changes = [
        { kind: 'reported', property: 'count', type: 'INT', value: String(n), n },
        { kind: 'reported', property: 'undeclared', type: 'STRING', value: padding, n },
      ] as const;
      const fact = { device, uid, binding: 1, at: Date.now(), changes };
      const stamp = { node: 'edge-a', id: `inc.${n}`, term: 1, historical: false };
      const payload = encodeBatch([encodeFact(fact, stamp)]);
      const answer = await this.link.request(chainSubject('edge-a', 'twin', device), payload);
      assert.equal(receiptOf(answer).kind, 'stored');
    }
  }

  async show(n: number, within = 15_000): Promise<number> {
    const begun = performance.now();
    await waitUntil(
      `every Device to show ${n}`,
      async () => {
        const { body } = await this.client.request({ method: 'GET', path: `${COLLECTIONS}/devices` });
        const items = body['items'] as { status?: { summary?: string } }[];
        return items.length === DEVICES && items.every(({ status }) => status?.summary === `count=${n}`);
      },
      within,
    );
    return Math.round(performance.now() - begun);
  }

  /** Of the hub's consumer: handed over, and not acknowledged. */
  async inHand(): Promise<number> {
    const jsm = await this.link.jetStreamConnection()?.jetstreamManager();
    const [consumer] = (await jsm?.consumers.list(UP_STREAM).next()) ?? [];
    return consumer?.num_ack_pending ?? 0;
  }

  async #create(name: string): Promise<void> {
    const common = { apiVersion: 'devices.kubeedge.io/v1beta1' };
    const properties = [{ name: 'count', type: 'INT', accessMode: 'ReadOnly' }];
    const model = { ...common, kind: 'DeviceModel', metadata: { name: 'counter' }, spec: { properties } };
    await this.client.request({ method: 'POST', path: `${COLLECTIONS}/devicemodels`, body: model });
    const spec = { deviceModelRef: { name: 'counter' }, nodeName: 'edge-a', protocol: { protocolName: 'virtual' } };
    const device = { ...common, kind: 'Device', metadata: { name }, spec };
    await this.client.request({ method: 'POST', path: `${COLLECTIONS}/devices`, body: device });
    const bound = await waitUntil('the binding', async () => {
      const { body } = await this.client.request({ method: 'GET', path: `${COLLECTIONS}/devices/${name}` });
      const found = body as unknown as { metadata: { uid: string }; status?: { binding?: object } };
      return found.status?.binding === undefined ? undefined : found.metadata.uid;
    });
    this.#uids.set(name, bound);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hub.stop(Deadline.after(seconds(5)));
    this.client.close();
    await this.link.stop(Deadline.after(seconds(2)));
    await this.roads[Symbol.asyncDispose]();
    this.api.kill('SIGKILL');
    await this.nats.stop();
    await this.#dir[Symbol.asyncDispose]();
  }
}

test('an API server that falls silent: the hub holds a bounded part, asks seldom, and shows the newest afterwards', async (t) => {
  await using world = await AwayWorld.open();
  await world.report(1);
  await world.show(1);

  world.api.kill('SIGSTOP');
  world.roads.expect({ at: Number.POSITIVE_INFINITY, when: 'before', kill: () => undefined });
  for (let n = 2; n <= 11; n += 1) await world.report(n, PADDING);
  await waitUntil('the hub to hold what it may', async () => (await world.inHand()) > 150);
  // A whole request's patience: whoever would ask again and again does so in this time.
  await waitUntil('the hub to say that the API is away', () => world.hub.health().state !== 'ok');
  const [held, asked] = [await world.inHand(), world.roads.count];
  world.api.kill('SIGCONT');

  t.diagnostic(`${held} of 300 messages held, ${asked} chunks asked in the silence`);
  assert.ok(held * PADDING.length <= 64 * 1024 * 1024, `${held} messages held`);
  assert.ok(asked < 200, `${asked} chunks`);
  t.diagnostic(`every Device shows the newest ${await world.show(11)} ms after the API server answers again`);
  await waitUntil('nothing held any more', async () => (await world.inHand()) === 0);
});

test('an API server that is killed and comes back: nothing is lost, and the hub does not storm it', async (t) => {
  await using world = await AwayWorld.open();
  await world.report(1);
  await world.show(1);

  world.api.kill('SIGKILL');
  await once(world.api, 'exit');
  for (let n = 2; n <= 21; n += 1) await world.report(n);
  await waitUntil('the hub to say that the API is away', () => world.hub.health().state !== 'ok');
  const before = world.roads.connections;
  const begun = performance.now();
  await waitUntil('five seconds of being away', () => performance.now() - begun > 5000);
  const asked = world.roads.connections - before;
  await world.startApi();

  t.diagnostic(`${asked} connections tried in five seconds`);
  assert.ok(asked < 60, `${asked} connections in five seconds`);
  t.diagnostic(`every Device shows the newest ${await world.show(21)} ms after the API server is back`);
});
