import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Admission } from '../../../broker/index.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { RawClient } from './raw-client.ts';
import { deferred, RESULT, startBroker, TWIN_UPDATE } from './running-broker.ts';

void test('a PUBACK is held until the gate has answered', async () => {
  await using running = await startBroker();
  const { promise, resolve } = deferred<Admission>();
  running.gate.answer = () => promise;
  const client = await RawClient.connected(running.port, 'sensor');

  client.publish(TWIN_UPDATE, '{}', { qos: 1, messageId: 7 });
  await waitUntil('the gate to be asked', () => running.gate.asked.length === 1);
  await new Promise(setImmediate);
  assert.equal(client.has('puback'), false);

  resolve({ kind: 'admit' });
  const puback = await client.next('puback');
  assert.equal(puback.messageId, 7);
  client.end();
});

void test('the gate learns who published what, and under which packet id', async () => {
  await using running = await startBroker();
  const client = await RawClient.connected(running.port, 'sensor');

  client.publish(TWIN_UPDATE, 'first', { qos: 1, messageId: 9 });
  client.publish(TWIN_UPDATE, 'again', { qos: 1, messageId: 9, dup: true });
  client.publish(TWIN_UPDATE, 'light', { qos: 0 });
  await waitUntil('three questions', () => running.gate.asked.length === 3);

  const seen = running.gate.asked.map((one) => ({ ...one, payload: Buffer.from(one.payload).toString() }));
  const common = { clientId: 'sensor', topic: TWIN_UPDATE };
  assert.deepEqual(seen, [
    { ...common, payload: 'first', qos: 1, packetId: 9, duplicate: false },
    { ...common, payload: 'again', qos: 1, packetId: 9, duplicate: true },
    { ...common, payload: 'light', qos: 0, packetId: undefined, duplicate: false },
  ]);
  client.end();
});

void test('an unavailable gate withholds the PUBACK and closes the connection; the resend is acknowledged', async () => {
  await using running = await startBroker();
  running.gate.answer = () => Promise.resolve({ kind: 'unavailable' });
  const first = await RawClient.connected(running.port, 'sensor', false);

  first.publish(TWIN_UPDATE, '{}', { qos: 1, messageId: 3 });
  await first.closed();
  assert.equal(first.has('puback'), false);

  running.gate.answer = () => Promise.resolve({ kind: 'admit' });
  const second = await RawClient.connected(running.port, 'sensor', false);
  second.publish(TWIN_UPDATE, '{}', { qos: 1, messageId: 3, dup: true });
  assert.equal((await second.next('puback')).messageId, 3);
  second.end();
});

void test('a gate that throws counts as unavailable', async () => {
  await using running = await startBroker();
  running.gate.answer = () => {
    throw new Error('planted');
  };
  const client = await RawClient.connected(running.port, 'sensor');

  client.publish(TWIN_UPDATE, '{}', { qos: 1, messageId: 3 });

  await client.closed();
  assert.equal(client.has('puback'), false);
});

void test('at QoS 0 an unavailable gate leaves the connection open', async () => {
  await using running = await startBroker();
  running.gate.answer = () => Promise.resolve({ kind: 'unavailable' });
  const client = await RawClient.connected(running.port, 'sensor');

  client.publish(TWIN_UPDATE, '{}', { qos: 0 });
  await client.ping();

  assert.equal(running.gate.asked.length, 1);
  client.end();
});

void test('a publication set aside is acknowledged', async () => {
  await using running = await startBroker();
  running.gate.answer = () => Promise.resolve({ kind: 'set-aside', reason: 'no such property' });
  const client = await RawClient.connected(running.port, 'sensor');

  client.publish(TWIN_UPDATE, 'garbage', { qos: 1, messageId: 4 });

  assert.equal((await client.next('puback')).messageId, 4);
  client.end();
});

void test('an answer published afterwards follows the PUBACK on the wire', async () => {
  await using running = await startBroker();
  running.gate.answer = () =>
    Promise.resolve({
      kind: 'admit',
      afterwards: () => {
        running.broker.publishSoon(RESULT, 'done');
      },
    });
  const client = await RawClient.connected(running.port, 'sensor');
  await client.subscribe(RESULT);

  for (let messageId = 1; messageId <= 20; messageId += 1) client.publish(TWIN_UPDATE, '{}', { qos: 1, messageId });
  await waitUntil('all answers', () => client.received.filter(({ cmd }) => cmd === 'publish').length === 20);

  let acknowledged = 0;
  let answered = 0;
  for (const { cmd } of client.received) {
    if (cmd === 'puback') acknowledged += 1;
    if (cmd === 'publish') answered += 1;
    assert.ok(answered <= acknowledged, 'an answer overtook its acknowledgement');
  }
  client.end();
});

void test('at QoS 2 the gate is asked once, before the PUBREC, and the answer follows it', async () => {
  await using running = await startBroker();
  const { promise, resolve } = deferred<Admission>();
  running.gate.answer = () => promise;
  const client = await RawClient.connected(running.port, 'sensor');
  await client.subscribe(RESULT, 0);

  client.publish(TWIN_UPDATE, '{}', { qos: 2, messageId: 5 });
  await waitUntil('the gate to be asked', () => running.gate.asked.length === 1);
  assert.equal(client.has('pubrec'), false);
  resolve({
    kind: 'admit',
    afterwards: () => {
      running.broker.publishSoon(RESULT, 'done');
    },
  });
  await client.next('publish');
  client.send({ cmd: 'pubrel', messageId: 5 });
  assert.equal((await client.next('pubcomp')).messageId, 5);

  const order = client.received.map(({ cmd }) => cmd).filter((cmd) => cmd === 'pubrec' || cmd === 'publish');
  assert.deepEqual(order, ['pubrec', 'publish']);
  assert.equal(running.gate.asked.length, 1);
  client.end();
});

void test('the answer is given even when the client has gone before the gate answered', async () => {
  await using running = await startBroker();
  const { promise, resolve } = deferred<Admission>();
  running.gate.answer = () => promise;
  const client = await RawClient.connected(running.port, 'sensor');
  client.publish(TWIN_UPDATE, '{}', { qos: 1, messageId: 6 });
  await waitUntil('the gate to be asked', () => running.gate.asked.length === 1);
  client.end();
  await waitUntil('the broker to notice', () => running.broker.connectedClients === 0);

  const answered = deferred<string>();
  resolve({
    kind: 'admit',
    afterwards: () => {
      answered.resolve('answered');
    },
  });

  assert.equal(await answered.promise, 'answered');
});

void test('a last will passes the gate like any publication', async () => {
  await using running = await startBroker();
  const client = await RawClient.open(running.port);
  client.send({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clientId: 'dying',
    clean: true,
    keepalive: 60,
    will: { topic: TWIN_UPDATE, payload: Buffer.from('gone'), qos: 1, retain: false },
  });
  await client.next('connack');

  client.end();

  await waitUntil('the will at the gate', () => running.gate.asked.length === 1);
  assert.equal(Buffer.from(running.gate.asked[0]?.payload ?? []).toString(), 'gone');
  assert.equal(running.gate.asked[0]?.packetId, undefined);
});

void test('the last will of a client whose publication was refused passes the gate all the same', async () => {
  await using running = await startBroker();
  running.gate.answer = ({ payload }) =>
    Promise.resolve({ kind: Buffer.from(payload).toString() === 'refused' ? 'unavailable' : 'admit' });
  const listener = await RawClient.connected(running.port, 'listener');
  await listener.subscribe(TWIN_UPDATE);
  const client = await RawClient.open(running.port);
  client.send({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clientId: 'dying',
    clean: true,
    keepalive: 60,
    will: { topic: TWIN_UPDATE, payload: Buffer.from('gone'), qos: 1, retain: false },
  });
  await client.next('connack');

  client.publish(TWIN_UPDATE, 'refused', { qos: 1, messageId: 1 });
  await client.closed();

  const will = await listener.next('publish');
  assert.equal(will.cmd === 'publish' && will.payload.toString(), 'gone');
  assert.equal(running.gate.asked.length, 2);
  listener.end();
});

void test('neither other topics nor the broker’s own publications are asked for', async () => {
  await using running = await startBroker();
  const client = await RawClient.connected(running.port, 'sensor');

  client.publish('plain/topic', 'x', { qos: 1, messageId: 8 });
  await client.next('puback');
  await running.broker.publish(TWIN_UPDATE, 'from inside');

  assert.equal(running.gate.asked.length, 0);
  client.end();
});
