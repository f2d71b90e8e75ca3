// One device's life with a hub that is killed at one chunk of what it says or hears, and followed by another: made, reporting,
// wished something, deleted. What must be true afterwards does not depend on the chunk.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import { Deadline } from '../../src/kit/deadline.ts';
import { silentLogger } from '../../src/kit/logger.ts';
import { seconds } from '../../src/kit/units.ts';
import { readLast } from '../../src/nats/direct-get.ts';
import { subjectsOf } from '../../src/nats/jetstream-admin.ts';
import { NatsLink } from '../../src/nats/nats-link.ts';
import { decodeIndex } from '../../src/wire/desired.ts';
import {
  bucketSubject,
  DESIRED_BUCKET,
  DESIRED_STREAM,
  indexKey,
  keyOfBucketSubject,
} from '../../src/wire/nats-subjects.ts';
import { ClusterSite } from './cluster-site.ts';
import { CountedRoads, type Fate } from './counted-roads.ts';
import { waitUntil } from './wait-until.ts';

const PATIENCE = 15_000;

export class KilledHub implements AsyncDisposable {
  readonly #site: ClusterSite;
  readonly #roads = new CountedRoads();
  readonly #link: NatsLink;
  #mqtt!: MqttClient;
  #natsUrl = '';
  #kubeconfig = '';
  #lives = 0;

  private constructor(site: ClusterSite) {
    const { url, user, password } = site.nats;
    this.#site = site;
    const access = { url, user, password };
    this.#link = new NatsLink(
      { credentials: () => access, clientName: 'test', inboxPrefix: '_INBOX_test' },
      { logger: silentLogger },
    );
  }

  static async open(): Promise<KilledHub> {
    const self = new KilledHub(await ClusterSite.start());
    await self.#link.start(new AbortController().signal);
    self.#mqtt = await connectAsync(self.#site.edge.text('mqtt'));
    const { nats, kube, dir } = self.#site;
    self.#natsUrl = `nats://127.0.0.1:${await self.#roads.to(addressOf(nats.url))}`;
    const port = await self.#roads.to(addressOf(kube.url));
    const text = await readFile(kube.kubeconfigFile, 'utf8');
    self.#kubeconfig = join(dir, 'kubeconfig-by-road');
    await writeFile(self.#kubeconfig, text.replace(new URL(kube.url).host, `127.0.0.1:${port}`));
    return self;
  }

  /** Resolves with false when the device's life was over before so many chunks had passed. */
  async killAt(at: number, when: Fate['when']): Promise<boolean> {
    const device = `device-${(this.#lives += 1)}`;
    let isOver = false;
    const successor = this.#succession(at, when, () => isOver);
    try {
      await this.#live(device);
    } finally {
      isOver = true;
      await this.#site.hubs.get('a')?.kill();
      // One that was about to start when all was over.
      await successor.finally(() => this.#site.hubs.get('a')?.kill());
    }
    return await successor;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#mqtt.endAsync(true);
    await this.#link.stop(Deadline.after(seconds(2)));
    await this.#site[Symbol.asyncDispose]();
    await this.#roads[Symbol.asyncDispose]();
  }

  /** A hub that meets its fate, and the one after it, which does not. Resolves with whether there was a second. */
  async #succession(at: number, when: Fate['when'], isOver: () => boolean): Promise<boolean> {
    let pid = -1;
    this.#roads.expect({ at, when, kill: () => process.kill(pid, 'SIGKILL') });
    const roads = {
      natsUrl: this.#natsUrl,
      kubeconfig: this.#kubeconfig,
      onSpawn: (spawned: number) => (pid = spawned),
    };
    const started = await this.#site.startHub('a', roads).then(
      () => true,
      () => false,
    );
    if (started) await this.#site.hub('a').exited;
    if (isOver()) return false;
    await this.#site.startHub('a');
    return true;
  }

  async #live(device: string): Promise<void> {
    await this.#site.createDevice(device);
    for (const value of ['1', '2', '3']) {
      const payload = JSON.stringify({ twin: { number: { actual: { value } } } });
      await this.#mqtt.publishAsync(`$hw/events/device/default/${device}/twin/update`, payload, { qos: 1 });
    }
    await this.#site.want(device, '42');
    await waitUntil('the newest status', async () => (await this.#site.reported(device)) === '3', PATIENCE);
    await waitUntil('the wish at the edge', async () => (await this.#site.atEdge(device))?.includes('"42"'), PATIENCE);
    await this.#indexHolds(1);
    await this.#site.remove(device);
    await waitUntil('the edge to forget', async () => (await this.#site.atEdge(device)) === undefined, PATIENCE);
    await this.#indexHolds(0);
  }

  /** So many objects, each of them there, and none that the index does not name. */
  async #indexHolds(objects: number): Promise<void> {
    let seen: unknown;
    const isConsistent = async (): Promise<boolean> => {
      const index = await readLast(this.#link, DESIRED_STREAM, bucketSubject(DESIRED_BUCKET, indexKey('site')));
      const named = Object.keys(decodeIndex(index?.data ?? new Uint8Array())?.keys ?? {}).sort();
      const kept = await this.#keptKeys();
      seen = { named, kept };
      return named.length === objects && JSON.stringify(named) === JSON.stringify(kept);
    };
    await waitUntil('a consistent index', isConsistent, PATIENCE).catch((error: unknown) => {
      assert.fail(`${String(error)}: ${JSON.stringify(seen)}`);
    });
  }

  async #keptKeys(): Promise<readonly string[]> {
    const subjects = await subjectsOf(this.#link, DESIRED_STREAM, bucketSubject(DESIRED_BUCKET, '>'));
    const kept: string[] = [];
    for (const subject of subjects) {
      const key = keyOfBucketSubject(DESIRED_BUCKET, subject) ?? '';
      const message = await readLast(this.#link, DESIRED_STREAM, subject);
      if (message?.operation === undefined && key !== indexKey('site')) kept.push(key);
    }
    return kept.sort();
  }
}

function addressOf(url: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(url.replace(/^[a-z]+:/, 'http:'));
  return { host: hostname, port: Number(port) };
}
