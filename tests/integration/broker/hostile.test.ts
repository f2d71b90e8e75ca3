// Clients that break rules, on purpose or not: each is dealt with, and nobody else notices.
import fc from 'fast-check';
import { generate } from 'mqtt-packet';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitUntil } from '../../support/wait-until.ts';
import { RawClient } from './raw-client.ts';
import { startBroker, TWIN_UPDATE } from './running-broker.ts';

const connectPacket = generate({
  cmd: 'connect',
  protocolId: 'MQTT',
  protocolVersion: 4,
  clientId: 'x',
  clean: true,
  keepalive: 60,
});
const publishPacket = generate({
  cmd: 'publish',
  topic: 'a/b',
  payload: 'hello',
  qos: 1,
  messageId: 4,
  dup: false,
  retain: false,
});

void test('garbage on the wire ends that connection at most; the others go on', async () => {
  await using running = await startBroker();
  const bystander = await RawClient.connected(running.port, 'bystander');
  const garbage = fc.uint8Array({ minLength: 1, maxLength: 60 });
  const damaged = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })).map(([at, value]) => {
    const copy = Uint8Array.from(Buffer.concat([connectPacket, publishPacket]));
    copy[at % copy.length] = value;
    return copy;
  });

  await fc.assert(
    fc.asyncProperty(fc.oneof(garbage, damaged), fc.boolean(), async (noise, isConnected) => {
      const client = isConnected
        ? await RawClient.connected(running.port, 'noisy')
        : await RawClient.open(running.port);
      await new Promise<void>((resolve) => client.socket.end(noise, resolve));
      client.end();
    }),
    { numRuns: 200 },
  );

  await bystander.ping();
  bystander.end();
});

void test('a client without an id must ask for a clean session', async () => {
  await using running = await startBroker();
  const forgetful = await RawClient.open(running.port);

  // By hand: the packet library refuses to write this.
  const connect = Buffer.of(0x10, 12, 0, 4, ...Buffer.from('MQTT'), 4, 0, 0, 60, 0, 0);
  forgetful.socket.write(connect);

  const connack = await forgetful.next('connack');
  assert.equal(connack.cmd === 'connack' ? connack.returnCode : undefined, 2);
  await forgetful.closed();
  const fine = await RawClient.connected(running.port, '', true);
  await fine.ping();
  fine.end();
});

void test('publishing to the broker’s own topics closes the connection and reaches nobody', async () => {
  await using running = await startBroker();
  const listener = await RawClient.connected(running.port, 'listener');
  await listener.subscribe('$skerry/#');

  for (const topic of ['$skerry/mapper/modbus/default/pump', '$SYS/anything']) {
    const liar = await RawClient.connected(running.port, 'liar');
    liar.publish(topic, 'lie', { qos: 1, messageId: 1 });
    await liar.closed();
    assert.equal(liar.has('puback'), false);
  }

  await listener.ping();
  assert.equal(listener.has('publish'), false);
  listener.end();
});

void test('a subscriber that reads nothing is disconnected and never delays publishers or other subscribers', async () => {
  await using running = await startBroker();
  const frozen = await RawClient.connected(running.port, 'frozen');
  await frozen.subscribe('flood', 0);
  frozen.socket.pause();
  const lively = await RawClient.connected(running.port, 'lively');
  await lively.subscribe('flood', 0);
  const publisher = await RawClient.connected(running.port, 'publisher');

  // More than the kernel takes for a socket nobody reads.
  const count = 400;
  const payload = 'x'.repeat(50_000);
  for (let messageId = 1; messageId <= count; messageId += 1)
    publisher.publish('flood', payload, { qos: 1, messageId });
  await waitUntil('every PUBACK', () => publisher.received.length === count + 1);

  await waitUntil('every message at the lively one', () => {
    return lively.received.filter(({ cmd }) => cmd === 'publish').length === count;
  });
  await waitUntil('the frozen one to be cut', () => running.broker.connectedClients === 2);
  for (const client of [frozen, lively, publisher]) client.end();
});

void test('a topic with too many levels ends the connection, not the process', async () => {
  await using running = await startBroker();
  const client = await RawClient.connected(running.port, 'deep');

  client.publish('a/'.repeat(500), 'x', { qos: 1, messageId: 1 });

  await client.closed();
  assert.equal(running.gate.asked.length, 0);
});

void test('a second client of the same id takes over from the first', async () => {
  await using running = await startBroker();
  const first = await RawClient.connected(running.port, 'twin');

  const second = await RawClient.connected(running.port, 'twin');

  await first.closed();
  second.publish(TWIN_UPDATE, '{}', { qos: 1, messageId: 1 });
  await second.next('puback');
  second.end();
});
