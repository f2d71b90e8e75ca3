// Credentials that end within seconds, with a real hub: a node that joined goes on as if they had no end.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { connectAsync } from 'mqtt';
import { Joining } from '../../../src/cloud/joining.ts';
import { ArrivingNode } from '../../../src/edge/arriving-node.ts';
import { joinedIn, joinHub } from '../../../src/edge/join-node.ts';
import { systemClock } from '../../../src/kit/clock.ts';
import { Deadline } from '../../../src/kit/deadline.ts';
import { mebibytes, seconds } from '../../../src/kit/units.ts';
import { lifeOf } from '../../../src/nats/nats-jwt.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { HubWorld, testLogger } from '../cloud/running-hub.ts';

const LOOPBACK = { host: '127.0.0.1', port: 0 };
const NEVER = new AbortController().signal;

class World {
  readonly hub: HubWorld;
  readonly #t: TestContext;

  constructor(t: TestContext, hub: HubWorld) {
    [this.#t, this.hub] = [t, hub];
  }

  static async start(t: TestContext, life: number): Promise<World> {
    const hub = await HubWorld.open();
    t.after(() => hub[Symbol.asyncDispose]());
    await hub.startReadyHub({ jwtLife: seconds(life) });
    return new World(t, hub);
  }

  /** At its address, and with credentials that last. */
  async restartHub(): Promise<void> {
    const { hostname, port } = new URL(this.hub.hub?.addresses.http ?? '');
    await this.hub.stopHub();
    await this.hub.startReadyHub({ http: { host: hostname, port: Number(port) } });
  }

  get dataDir(): string {
    return join(this.hub.dir, 'plant-1');
  }

  async join(): Promise<void> {
    const joining = new Joining(this.hub.client, { clock: systemClock });
    const { token } = await joining.createToken({ ttl: seconds(60), uses: 1 });
    const hub = (this.hub.hub?.addresses.http ?? '').replace('http:', 'https:');
    const order = { dataDir: this.dataDir, hub, token, node: 'plant-1' };
    await joinHub(order, { clock: systemClock, logger: testLogger }, NEVER);
  }

  async startNode(): Promise<ArrivingNode> {
    const config = {
      ...{ dataDir: this.dataDir, mqtt: LOOPBACK, mqttWs: undefined, http: LOOPBACK, history: 0, uploads: [] },
      outbox: { limit: mebibytes(16), age: seconds(3600) },
      version: 'test',
    };
    const findIdentity = async () => (await joinedIn(this.dataDir)) ?? assert.fail('not joined');
    const node = new ArrivingNode(config, { findIdentity, logger: testLogger });
    await node.start(NEVER);
    this.#t.after(() => node.stop(Deadline.after(seconds(5))));
    return node;
  }

  async jwt(): Promise<string> {
    const identity = JSON.parse(await readFile(join(this.dataDir, 'identity.json'), 'utf8')) as {
      nats: { jwt: string };
    };
    return identity.nats.jwt;
  }

  async reported(device: string): Promise<string | undefined> {
    const twins = (await this.hub.device(device))?.status?.twins;
    return twins?.find(({ propertyName }) => propertyName === 'count')?.reported?.value;
  }
}

void test('a node renews at two thirds of the life of its credentials, and every value goes up meanwhile', async (t) => {
  const world = await World.start(t, 6);
  await world.join();
  await world.hub.createModel();
  await world.hub.createCounter('pump', { nodeName: 'plant-1' });
  const node = await world.startNode();
  const client = await connectAsync(node.addresses.mqtt);
  t.after(() => client.endAsync(true));
  const first = await world.jwt();
  const end = lifeOf(first)?.expiresAt ?? assert.fail('a JWT without an end');

  let count = 0;
  while (Date.now() < end + 1500) {
    const payload = `{"twin":{"count":{"actual":{"value":"${(count += 1)}"}}}}`;
    await client.publishAsync('$hw/events/device/default/pump/twin/update', payload, { qos: 1 });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }

  assert.notEqual(await world.jwt(), first);
  await waitUntil('the last value in Kubernetes', async () => (await world.reported('pump')) === String(count));
});

void test('a node whose credentials ended while it was off comes back by its key, with what it kept', async (t) => {
  const world = await World.start(t, 2);
  await world.join();
  await world.hub.createModel();
  await world.hub.createCounter('pump', { nodeName: 'plant-1' });
  const kept = await world.jwt();
  await waitUntil('the credentials to end', () => Date.now() > (lifeOf(kept)?.expiresAt ?? 0) + 1000);
  await world.restartHub();

  const node = await world.startNode();
  const client = await connectAsync(node.addresses.mqtt);
  t.after(() => client.endAsync(true));
  const payload = '{"twin":{"count":{"actual":{"value":"7"}}}}';
  await waitUntil('the value in Kubernetes', async () => {
    await client.publishAsync('$hw/events/device/default/pump/twin/update', payload, { qos: 1 });
    return (await world.reported('pump')) === '7';
  });
  assert.notEqual(await world.jwt(), kept);
});
