// What a hub makes of registrations in a real Kubernetes API: who is admitted, and whom NATS must refuse.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Joining } from '../../../src/cloud/joining.ts';
import { JoinedNodes } from '../../../src/cloud/join/joined-nodes.ts';
import { JoinRecords } from '../../../src/cloud/join/join-records.ts';
import { join as joinName } from '../../../src/cloud/join/registration.ts';
import { KubeClient } from '../../../src/cloud/kubernetes/kube-client.ts';
import { systemClock } from '../../../src/kit/clock.ts';
import { Deadline } from '../../../src/kit/deadline.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { seconds } from '../../../src/kit/units.ts';
import { createKubeApi, type KubeApi } from '../../../src/kube-api/kube-api.ts';
import { tempDir, type TempDir } from '../../support/temp-dir.ts';
import { waitUntil } from '../../support/wait-until.ts';

const NEVER = new AbortController().signal;
const SOON = Deadline.after.bind(Deadline, seconds(5));

class World implements AsyncDisposable {
  readonly joining: Joining;
  readonly told: (readonly string[])[] = [];
  readonly voided: string[] = [];
  isServerAway = false;
  nodes: JoinedNodes;
  readonly #client: KubeClient;
  readonly #kube: KubeApi;
  readonly #dir: TempDir;

  private constructor(dir: TempDir, kube: KubeApi) {
    this.#dir = dir;
    this.#kube = kube;
    this.#client = KubeClient.fromFile(kube.kubeconfigFile);
    this.joining = new Joining(this.#client, { clock: systemClock });
    this.nodes = this.#make();
  }

  static async start(): Promise<World> {
    const dir = await tempDir();
    const kube = createKubeApi(
      { dataDir: join(dir.path, 'hub'), host: '127.0.0.1', port: 0 },
      { logger: silentLogger },
    );
    await kube.start(NEVER);
    const world = new World(dir, kube);
    await world.nodes.start(NEVER);
    return world;
  }

  async restart(): Promise<void> {
    await this.nodes.stop(SOON());
    this.nodes = this.#make();
    await this.nodes.start(NEVER);
  }

  async join(node: string, publicKey: string): Promise<void> {
    const { registrations } = new JoinRecords({ client: this.#client });
    await registrations.change(node, (present) => joinName(present, { node, publicKey }, Date.now()));
  }

  #make(): JoinedNodes {
    const revokeUsers = (revocations: ReadonlyMap<string, number>): Promise<void> => {
      if (this.isServerAway) return Promise.reject(new Error('the server is away'));
      this.told.push([...revocations.keys()].toSorted());
      return Promise.resolve();
    };
    const nodes = new JoinedNodes({ client: this.#client, revokeUsers, clock: systemClock, logger: silentLogger });
    nodes.onVoided((node) => this.voided.push(node));
    return nodes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.nodes.stop(SOON());
    this.#client.close();
    await this.#kube.stop(SOON());
    await this.#dir[Symbol.asyncDispose]();
  }
}

void test('a node that joins is admitted, and one that is revoked is not: NATS is told its key, and who listens its name', async () => {
  await using world = await World.start();
  await world.join('plant-1', 'U1');
  await world.join('plant-2', 'U2');
  await waitUntil('both to be admitted', () => world.nodes.isJoined('plant-1') && world.nodes.isJoined('plant-2'));
  assert.deepEqual(world.told, []);

  await world.joining.revokeNode('plant-1');

  await waitUntil('NATS to be told', () => world.told.length > 0);
  assert.deepEqual(world.told, [['U1']]);
  assert.deepEqual(world.voided, ['plant-1']);
  assert.deepEqual([world.nodes.isJoined('plant-1'), world.nodes.isJoined('plant-2')], [false, true]);
});

void test('a released name admits the next key, and the one before stays void', async () => {
  await using world = await World.start();
  await world.join('plant-1', 'U1');
  await world.joining.releaseNode('plant-1');
  await world.join('plant-1', 'U2');

  await waitUntil('NATS to be told', () => world.told.length > 0);
  await waitUntil('the new key to be admitted', () => world.nodes.isJoined('plant-1'));
  assert.deepEqual(world.told.at(-1), ['U1']);
});

void test('a server that is away is told when it is back, and until then the hub says what is missing', async () => {
  await using world = await World.start();
  await world.join('plant-1', 'U1');
  world.isServerAway = true;
  await world.joining.revokeNode('plant-1');
  await waitUntil('the hub to say so', () => world.nodes.health().state === 'degraded');

  world.isServerAway = false;

  await waitUntil('NATS to be told', () => world.told.length > 0);
  await waitUntil('the hub to be well', () => world.nodes.health().state === 'ok');
  assert.deepEqual(world.told, [['U1']]);
});

void test('a hub that starts again tells NATS everybody who is void, in one word', async () => {
  await using world = await World.start();
  for (const [node, key] of [
    ['plant-1', 'U1'],
    ['plant-2', 'U2'],
  ] as const) {
    await world.join(node, key);
    await world.joining.revokeNode(node);
  }
  await waitUntil('NATS to be told of both', () => world.told.at(-1)?.length === 2);
  world.told.length = 0;

  await world.restart();

  await waitUntil('NATS to be told', () => world.told.length > 0);
  assert.deepEqual(world.told, [['U1', 'U2']]);
});
