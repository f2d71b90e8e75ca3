// What MQTT clients were told by an edge node that is then killed (SIGKILL) holds after its next start. No hub, no NATS: sessions
// need neither.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import type { IConnackPacket } from 'mqtt-packet';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { connectAsync, type MqttClient } from 'mqtt';
import { RawClient } from '../integration/broker/raw-client.ts';
import { startProgram, type Program } from '../support/program.ts';
import { tempDir } from '../support/temp-dir.ts';
import { waitUntil } from '../support/wait-until.ts';

const run = promisify(execFile);
const CREDENTIALS = '{"node":"alone","nats":{"url":"nats://127.0.0.1:9","user":"alone","password":"none"}}';

const KILLS = 6;

class LoneNode {
  readonly #dir: string;
  #edge: Program | undefined;

  constructor(dir: string) {
    this.#dir = dir;
  }

  get url(): string {
    return this.#edge?.text('mqtt') ?? '';
  }

  get port(): number {
    return Number(new URL(this.#edge?.text('mqtt') ?? '').port);
  }

  async start(): Promise<void> {
    const credentials = join(this.#dir, 'credentials.json');
    await writeFile(credentials, CREDENTIALS, { mode: 0o600 });
    const sockets = [
      '--mqtt',
      this.#edge === undefined ? '127.0.0.1:0' : `127.0.0.1:${this.port}`,
      '--mqtt-ws',
      'off',
      '--http',
      '127.0.0.1:0',
    ];
    this.#edge = await startProgram([
      'edge',
      ...['--data-dir', join(this.#dir, 'edge'), '--credentials', credentials],
      ...sockets,
    ]);
  }

  async kill(): Promise<void> {
    await this.#edge?.kill();
  }

  async killAndStart(): Promise<void> {
    await this.kill();
    await this.start();
  }
}

async function startNode(t: TestContext): Promise<LoneNode> {
  const dir = await tempDir();
  const node = new LoneNode(dir.path);
  await node.start();
  t.after(async () => {
    await node.kill();
    await dir[Symbol.asyncDispose]();
  });
  return node;
}

const payloadsOn = (client: RawClient, topic: string): string[] =>
  client.received.flatMap((packet) =>
    packet.cmd === 'publish' && packet.topic === topic ? [packet.payload.toString()] : [],
  );

const hasPacket = (client: RawClient, cmd: string, messageId: number): boolean =>
  client.received.some((packet) => packet.cmd === cmd && packet.messageId === messageId);

async function leaveSession(node: LoneNode, clientId: string, filter: string): Promise<void> {
  const client = await RawClient.connected(node.port, clientId, false);
  await client.subscribe(filter, 2);
  client.end();
}

async function publish(client: RawClient, topic: string, payload: string, messageId: number): Promise<void> {
  client.publish(topic, payload, { qos: 1, messageId });
  await waitUntil(`the PUBACK of ${payload}`, () => hasPacket(client, 'puback', messageId));
}

async function publishExactlyOnce(client: RawClient, topic: string, payload: string, messageId: number): Promise<void> {
  client.publish(topic, payload, { qos: 2, messageId });
  await waitUntil(`the PUBREC of ${payload}`, () => hasPacket(client, 'pubrec', messageId));
  client.send({ cmd: 'pubrel', messageId });
  await waitUntil(`the PUBCOMP of ${payload}`, () => hasPacket(client, 'pubcomp', messageId));
}

test('a killed node still has the session, and every message that it acknowledged for it, once and in order', async (t) => {
  const node = await startNode(t);
  await leaveSession(node, 'keeper', 'news/#');
  const publisher = await RawClient.connected(node.port, 'publisher', false);
  const expected = Array.from({ length: 40 }, (_, n) => String(n + 1));
  for (const [index, payload] of expected.entries()) {
    if (index < 30) await publish(publisher, 'news/1', payload, index + 1);
    else await publishExactlyOnce(publisher, 'news/2', payload, index + 1);
  }

  await node.killAndStart();

  const keeper = await RawClient.connected(node.port, 'keeper', false);
  assert.equal(((await keeper.next('connack')) as IConnackPacket).sessionPresent, true);
  await waitUntil('all messages', () => payloadsOn(keeper, 'news/2').length >= 10);
  await keeper.ping();
  assert.deepEqual([...payloadsOn(keeper, 'news/1'), ...payloadsOn(keeper, 'news/2')], expected);
  keeper.end();
});

const AT_ONCE = 2000;

test('what is acknowledged in the instant of the kill is in the session', async (t) => {
  const node = await startNode(t);
  await leaveSession(node, 'keeper', 'news');
  const publisher = await RawClient.connected(node.port, 'publisher');
  for (let n = 1; n <= AT_ONCE; n += 1) publisher.publish('news', String(n), { qos: 1, messageId: n });
  await waitUntil('some PUBACKs', () => publisher.received.length > 50);

  await node.kill();
  await publisher.closed();
  const acknowledged = publisher.received
    .filter(({ cmd }) => cmd === 'puback')
    .map(({ messageId }) => String(messageId));
  t.diagnostic(`${acknowledged.length} of ${AT_ONCE} were acknowledged when the node was killed`);
  assert.ok(acknowledged.length < AT_ONCE, 'the node was killed when all was over');
  await node.start();

  const keeper = await RawClient.connected(node.port, 'keeper', false);
  await waitUntil('as many messages', () => payloadsOn(keeper, 'news').length >= acknowledged.length);
  await keeper.ping();
  const got = payloadsOn(keeper, 'news');
  assert.equal(new Set(got).size, got.length);
  assert.deepEqual(got.slice(0, acknowledged.length), acknowledged);
  keeper.end();
});

test('a QoS 2 publication that is sent again after a kill is delivered once, whatever had been said of it', async (t) => {
  const node = await startNode(t);
  await leaveSession(node, 'keeper', 'exact');
  const before = await RawClient.connected(node.port, 'publisher', false);
  before.publish('exact', 'once', { qos: 2, messageId: 7 });
  await before.next('pubrec');

  await node.killAndStart();
  const after = await RawClient.connected(node.port, 'publisher', false);
  after.publish('exact', 'once', { qos: 2, messageId: 7, dup: true });
  await after.next('pubrec');
  after.send({ cmd: 'pubrel', messageId: 7 });
  await after.next('pubcomp');
  after.end();
  const again = await RawClient.connected(node.port, 'publisher', false);
  await publishExactlyOnce(again, 'exact', 'the next', 7);
  await node.killAndStart();

  const keeper = await RawClient.connected(node.port, 'keeper', false);
  await waitUntil('both messages', () => payloadsOn(keeper, 'exact').length >= 2);
  await keeper.ping();
  assert.deepEqual(payloadsOn(keeper, 'exact'), ['once', 'the next']);
  keeper.end();
});

test('a subscriber that had taken a QoS 2 message before the kill is not given it again', async (t) => {
  const node = await startNode(t);
  await leaveSession(node, 'keeper', 'exact');
  const publisher = await RawClient.connected(node.port, 'publisher');
  await publishExactlyOnce(publisher, 'exact', 'once', 1);
  const before = await RawClient.connected(node.port, 'keeper', false);
  const packet = await before.next('publish');
  const { messageId = 0 } = packet;
  before.send({ cmd: 'pubrec', messageId });
  await before.next('pubrel');

  await node.killAndStart();
  const after = await RawClient.connected(node.port, 'keeper', false);
  await after.next('pubrel');
  after.send({ cmd: 'pubcomp', messageId });
  await after.ping();

  assert.deepEqual(payloadsOn(after, 'exact'), []);
  assert.equal(hasPacket(after, 'pubrel', messageId), true);
  after.end();
});

test('retained messages are still there after a kill, and cleared ones are not', async (t) => {
  const node = await startNode(t);
  const publisher = await RawClient.connected(node.port, 'publisher');
  const retained = (topic: string, payload: string, messageId: number): Promise<unknown> => {
    publisher.send({ cmd: 'publish', topic, payload, qos: 1, messageId, retain: true, dup: false });
    return waitUntil('the PUBACK', () => hasPacket(publisher, 'puback', messageId));
  };
  await retained('door/1', 'open', 1);
  await retained('door/2', 'open', 2);
  await retained('door/2', 'closed', 3);
  await retained('door/1', '', 4);

  await node.killAndStart();

  const reader = await RawClient.connected(node.port, 'reader');
  await reader.subscribe('door/#');
  await waitUntil('the retained message', () => reader.has('publish'));
  await reader.ping();
  assert.deepEqual([payloadsOn(reader, 'door/1'), payloadsOn(reader, 'door/2')], [[], ['closed']]);
  reader.end();
});

test('the will of a client whose broker was killed is published at the next start, once', async (t) => {
  const node = await startNode(t);
  await leaveSession(node, 'keeper', 'wills/#');
  const mortal = await RawClient.open(node.port);
  const will = { topic: 'wills/mortal', payload: Buffer.from('gone'), qos: 1 as const, retain: false };
  mortal.send({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clientId: 'mortal',
    clean: true,
    keepalive: 60,
    will,
  });
  await mortal.next('connack');

  await node.killAndStart();
  await node.killAndStart();

  const keeper = await RawClient.connected(node.port, 'keeper', false);
  await keeper.next('publish');
  await keeper.ping();
  assert.deepEqual(payloadsOn(keeper, 'wills/mortal'), ['gone']);
  keeper.end();
});

test('mosquitto’s own clients find their session after a kill', async (t) => {
  const node = await startNode(t);
  const at = (): string[] => [
    '-h',
    '127.0.0.1',
    '-p',
    String(node.port),
    '-V',
    'mqttv311',
    '-q',
    '1',
    '-t',
    'greeting',
  ];
  const session = ['-i', 'mosquitto-keeper', '-c'];
  await run('mosquitto_sub', [...at(), ...session, '-E']);
  for (const word of ['hello', 'again']) await run('mosquitto_pub', [...at(), '-i', 'mosquitto-publisher', '-m', word]);

  await node.killAndStart();

  const { stdout } = await run('mosquitto_sub', [...at(), ...session, '-C', '2', '-W', '10']);
  assert.deepEqual(stdout.trim().split('\n'), ['hello', 'again']);
});

/** Publishes numbers, ever the next one when the last was acknowledged, over any number of connections. */
class Counting {
  readonly acknowledged: string[] = [];
  readonly #client: MqttClient;
  #isOver = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(client: MqttClient) {
    this.#client = client;
  }

  begin(topic: string, qos: 1 | 2, inFlight: number): void {
    const publish = async (lane: number): Promise<void> => {
      for (let n = 0; !this.#isOver; n += 1) {
        const payload = `${lane}/${n}`;
        const publication = this.#client.publishAsync(`${topic}/${lane}`, payload, { qos });
        // MQTT.js fails, unsent, what it is given between two connections.
        await publication.then(
          () => this.acknowledged.push(payload),
          () => undefined,
        );
      }
    };
    this.#running = Promise.all(Array.from({ length: inFlight }, (_, lane) => publish(lane)));
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#running;
    await this.#client.endAsync();
  }
}

for (const qos of [1, 2] as const) {
  const promise = qos === 1 ? 'loses no message of QoS 1' : 'neither loses nor doubles a message of QoS 2';
  test(`a node killed at any moment, under way to a session that is there and one that is away, ${promise}`, async (t) => {
    const node = await startNode(t);
    const connection = { clean: false, reconnectPeriod: 20, keepalive: 10 };
    await leaveSession(node, 'away', 'count/#');
    const here = await connectAsync(node.url, { ...connection, clientId: 'here' });
    const heard: string[] = [];
    here.on('message', (_topic, payload) => heard.push(payload.toString()));
    await here.subscribeAsync('count/#', { qos });
    const counter = await connectAsync(node.url, { ...connection, clientId: 'counter' });
    const counting = new Counting(counter);
    t.after(() => Promise.all([here.endAsync(true), counter.endAsync(true)]));

    counting.begin('count', qos, 8);
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const before = counting.acknowledged.length;
      await waitUntil(
        `traffic before kill ${kill}`,
        () => counting.acknowledged.length > before + 30 * Math.random(),
        15_000,
      );
      await node.killAndStart();
    }
    await counting.end();

    const { acknowledged } = counting;
    await waitUntil('the last messages', () => new Set(heard).size >= acknowledged.length, 15_000);
    const away = await RawClient.connected(node.port, 'away', false);
    const kept = (): string[] =>
      away.received.flatMap((one) => (one.cmd === 'publish' ? [one.payload.toString()] : []));
    await waitUntil('what was kept', () => new Set(kept()).size >= acknowledged.length, 15_000);
    await away.ping();
    for (const got of [heard, kept()]) {
      assert.deepEqual([...new Set(got)].sort(), [...acknowledged].sort());
      if (qos === 2) assert.equal(got.length, acknowledged.length);
    }
    away.end();
  });
}
