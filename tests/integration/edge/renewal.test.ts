// Credentials that end within seconds, with a real hub: a node that joined goes on as if they had no end.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { connectAsync, type MqttClient } from 'mqtt';
import { Joining } from '../../../src/cloud/joining.ts';
import { ArrivingNode } from '../../../src/edge/arriving-node.ts';
import { joinedIn, joinHub } from '../../../src/edge/join-node.ts';
import { systemClock } from '../../../src/kit/clock.ts';
import { Deadline } from '../../../src/kit/deadline.ts';
import { mebibytes, seconds } from '../../../src/kit/units.ts';
import { lifeOf } from '../../../src/nats/nats-jwt.ts';
import { readStream } from '../../../src/nats/stream-reader.ts';
import { decodeBatch } from '../../../src/wire/device-events.ts';
import { UP_STREAM } from '../../../src/wire/nats-subjects.ts';
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

  async joinWithPump(): Promise<void> {
    await this.join();
    await this.hub.createModel();
    await this.hub.createCounter('pump', { nodeName: 'plant-1' });
  }

  /** With a client of its broker. */
  async startNode(): Promise<MqttClient> {
    const config = {
      ...{ dataDir: this.dataDir, mqtt: LOOPBACK, mqttWs: undefined, http: LOOPBACK, history: 0, uploads: [] },
      outbox: { limit: mebibytes(16), age: seconds(3600) },
      version: 'test',
    };
    const findIdentity = async () => (await joinedIn(this.dataDir)) ?? assert.fail('not joined');
    const node = new ArrivingNode(config, { findIdentity, logger: testLogger });
    await node.start(NEVER);
    this.#t.after(() => node.stop(Deadline.after(seconds(5))));
    const client = await connectAsync(node.addresses.mqtt);
    this.#t.after(() => client.endAsync(true));
    return client;
  }

  async jwt(): Promise<string> {
    const identity = JSON.parse(await readFile(join(this.dataDir, 'identity.json'), 'utf8')) as {
      nats: { jwt: string };
    };
    return identity.nats.jwt;
  }

  /** Every count in the stream, in its order. */
  async streamed(): Promise<readonly string[]> {
    const counts: string[] = [];
    await readStream(await this.hub.fullLink(), UP_STREAM, ({ data }) => {
      const batch = decodeBatch(data);
      assert.ok(batch.kind !== 'refused');
      for (const { property, value } of batch.events) if (property === 'count') counts.push(value);
    });
    return counts;
  }

  async reported(device: string): Promise<string | undefined> {
    const twins = (await this.hub.device(device))?.status?.twins;
    return twins?.find(({ propertyName }) => propertyName === 'count')?.reported?.value;
  }
}

const publish = (client: MqttClient, count: number): Promise<unknown> =>
  client.publishAsync(
    '$hw/events/device/default/pump/twin/update',
    `{"twin":{"count":{"actual":{"value":"${count}"}}}}`,
    { qos: 1 },
  );

void test('a node renews at two thirds of the life of its credentials, and every value goes up once meanwhile', async (t) => {
  const world = await World.start(t, 6);
  await world.joinWithPump();
  const client = await world.startNode();
  const first = await world.jwt();
  const end = lifeOf(first)?.expiresAt ?? assert.fail('a JWT without an end');

  const sent: string[] = [];
  while (Date.now() < end + 1500) {
    sent.push(String(sent.length + 1));
    await publish(client, sent.length);
    await waitUntil('the value in Kubernetes', async () => (await world.reported('pump')) === sent.at(-1));
  }

  assert.notEqual(await world.jwt(), first);
  assert.deepEqual(await world.streamed(), sent);
});

void test('a node whose credentials ended while it was off comes back by its key, with what it kept', async (t) => {
  const world = await World.start(t, 2);
  await world.joinWithPump();
  const kept = await world.jwt();
  await waitUntil('the credentials to end', () => Date.now() > (lifeOf(kept)?.expiresAt ?? 0) + 1000);
  await world.restartHub();

  const client = await world.startNode();
  await waitUntil('the value in Kubernetes', async () => {
    await publish(client, 7);
    return (await world.reported('pump')) === '7';
  });
  assert.notEqual(await world.jwt(), kept);
});
