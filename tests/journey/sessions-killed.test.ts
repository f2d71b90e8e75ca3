// What MQTT clients were told by an edge node that is then killed (SIGKILL) holds after its next start. No hub, no NATS: sessions
// need neither.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import type { IConnackPacket } from 'mqtt-packet';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { RawClient } from '../integration/broker/raw-client.ts';
import { LoneNode } from '../support/lone-node.ts';
import { killUnderTraffic } from '../support/session-kills.ts';
import { waitUntil } from '../support/wait-until.ts';

const run = promisify(execFile);
const startNode = (t: TestContext): Promise<LoneNode> => LoneNode.started(t);

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

test('of a client that took its predecessor over, each will is published once, though the broker is killed', async (t) => {
  const node = await startNode(t);
  await leaveSession(node, 'keeper', 'wills/#');
  const connect = { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 60 } as const;
  for (const text of ['first', 'second']) {
    const mortal = await RawClient.open(node.port);
    const will = { topic: 'wills/mortal', payload: Buffer.from(text), qos: 1 as const, retain: false };
    mortal.send({ ...connect, clientId: 'mortal', will });
    await mortal.next('connack');
    await mortal.ping();
  }

  await node.killAndStart();
  await node.killAndStart();

  const keeper = await RawClient.connected(node.port, 'keeper', false);
  await waitUntil('both wills', () => payloadsOn(keeper, 'wills/mortal').length >= 2);
  await keeper.ping();
  assert.deepEqual(payloadsOn(keeper, 'wills/mortal'), ['first', 'second']);
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

test('a node killed at any moment loses nothing acknowledged to sessions and doubles nothing of QoS 2', (t) =>
  killUnderTraffic(t, { kills: 8, seed: Math.floor(Math.random() * 1_000_000) }));
