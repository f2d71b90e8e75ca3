import { connectAsync } from 'mqtt';
import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import WebSocket from 'ws';
import { Broker, brokerErrors, BrokerListeners, type Admission } from '../../../broker/index.ts';
import { Deadline } from '../../../src/kit/deadline.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { SkerryError } from '../../../src/kit/errors.ts';
import { seconds } from '../../../src/kit/units.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { RawClient } from './raw-client.ts';
import { deferred, startBroker, TestGate, TWIN_UPDATE } from './running-broker.ts';

const logger = silentLogger;

void test('a port in use is refused with the address and the option that changes it, and nothing stays open', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const broker = new Broker({}, { gate: new TestGate(), logger });
  const { signal } = new AbortController();
  await broker.start(signal);
  const free = { host: '127.0.0.1', port: 0 };
  const taken = { host: '127.0.0.1', port };

  const tcp = new BrokerListeners({ tcp: { ...taken, option: '--mqtt' } }, { broker, logger });
  await assert.rejects(tcp.start(signal), (error) => {
    assert.ok(error instanceof SkerryError && brokerErrors.BROKER_PORT_IN_USE.is(error));
    assert.equal(error.kind, 'refused');
    assert.deepEqual(error.details, { host: '127.0.0.1', port, option: '--mqtt' });
    assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}.*--mqtt`));
    return true;
  });
  const ws = new BrokerListeners({ tcp: free, ws: taken }, { broker, logger });
  await assert.rejects(ws.start(signal), (error) => {
    return error instanceof SkerryError && error.details['option'] === '--mqtt-ws';
  });

  assert.equal(ws.health().state, 'failing');
  await broker.stop(Deadline.after(seconds(5)));
  other.close();
});

void test('an address that is not ours is refused', async () => {
  const broker = new Broker({}, { gate: new TestGate(), logger });
  const listeners = new BrokerListeners(
    { tcp: { host: '192.0.2.1', port: 0 } },
    { broker, access: { hasUsers: true }, logger },
  );

  await assert.rejects(listeners.start(new AbortController().signal), (error) =>
    brokerErrors.BROKER_ADDRESS_REFUSED.is(error),
  );
});

void test('the same topics are served over WebSocket', async () => {
  await using running = await startBroker();
  const [web, wire] = await Promise.all([
    connectAsync(running.wsUrl),
    connectAsync(`mqtt://127.0.0.1:${running.port}`),
  ]);
  const heard: string[] = [];
  web.on('message', (_topic, payload) => heard.push(payload.toString()));
  await web.subscribeAsync('room/+', { qos: 1 });

  await wire.publishAsync('room/1', 'over the wire', { qos: 1 });
  await web.publishAsync(TWIN_UPDATE, 'x'.repeat(100_000), { qos: 1 });

  await waitUntil('the message', () => heard.includes('over the wire'));
  assert.equal(running.gate.asked[0]?.payload.length, 100_000);
  await Promise.all([web.endAsync(), wire.endAsync()]);
});

void test('a web page from elsewhere is not let in', async () => {
  await using running = await startBroker();

  const page = new WebSocket(running.wsUrl, 'mqtt', { origin: 'https://evil.example' });
  const [error] = (await once(page, 'error')) as [Error];

  assert.match(error.message, /403/);
});

void test('stopping lets the gate finish and acknowledges what it admits, but reads no further', async () => {
  const running = await startBroker();
  const held = deferred<Admission>();
  running.gate.answer = () => held.promise;
  const client = await RawClient.connected(running.port, 'sensor');
  const idle = await connectAsync(`mqtt://127.0.0.1:${running.port}`, { reconnectPeriod: 0 });
  client.publish(TWIN_UPDATE, '1', { qos: 1, messageId: 1 });
  await waitUntil('the gate to be asked', () => running.gate.asked.length === 1);

  const stopped = running.stop();
  client.publish(TWIN_UPDATE, '2', { qos: 1, messageId: 2 });
  await waitUntil('the door to be closed', () => running.listeners.health().state === 'failing');
  await assert.rejects(RawClient.connected(running.port, 'late'));
  held.resolve({ kind: 'admit' });
  await stopped;

  assert.equal((await client.next('puback')).messageId, 1);
  await client.closed();
  assert.equal(running.gate.asked.length, 1);
  await waitUntil('the other client to be disconnected', () => !idle.connected);
  await idle.endAsync(true);
});

void test('a gate that never answers cannot hold a stop beyond its deadline', async () => {
  const running = await startBroker();
  running.gate.answer = () => deferred<Admission>().promise;
  const client = await RawClient.connected(running.port, 'sensor');
  client.publish(TWIN_UPDATE, '1', { qos: 1, messageId: 1 });
  await waitUntil('the gate to be asked', () => running.gate.asked.length === 1);

  const deadline = Deadline.after(seconds(0.3));
  await running.listeners.stop(deadline);
  await running.broker.stop(deadline);

  await client.closed();
  assert.equal(client.has('puback'), false);
});

void test('both services start again after a stop, stop twice, and stop before they started', async () => {
  const broker = new Broker({}, { gate: new TestGate(), logger });
  const listeners = new BrokerListeners({ tcp: { host: '127.0.0.1', port: 0 } }, { broker, logger });
  const deadline = (): Deadline => Deadline.after(seconds(5));
  await listeners.stop(deadline());
  await broker.stop(deadline());

  for (let round = 0; round < 2; round += 1) {
    await broker.start(new AbortController().signal);
    await listeners.start(new AbortController().signal);
    assert.equal(broker.health().state, 'ok');
    const client = await RawClient.connected(listeners.addresses.tcp.port, 'sensor');
    await Promise.all([listeners.stop(deadline()), listeners.stop(deadline())]);
    await Promise.all([broker.stop(deadline()), broker.stop(deadline())]);
    await client.closed();
  }

  await assert.rejects(broker.publish('a', 'b'), (error) => brokerErrors.BROKER_STOPPED.is(error));
});

void test('an aborted start opens nothing', async () => {
  const broker = new Broker({}, { gate: new TestGate(), logger });
  const listeners = new BrokerListeners({ tcp: { host: '127.0.0.1', port: 0 } }, { broker, logger });

  await assert.rejects(broker.start(AbortSignal.abort()));
  await assert.rejects(listeners.start(AbortSignal.abort()));

  assert.equal(broker.health().state, 'failing');
  assert.equal(listeners.health().state, 'failing');
});

void test('a stop during the start leaves nothing open', async () => {
  const broker = new Broker({}, { gate: new TestGate(), logger });
  const listeners = new BrokerListeners({ tcp: { host: '127.0.0.1', port: 0 } }, { broker, logger });
  const { signal } = new AbortController();

  for (const service of [broker, listeners]) {
    const started = service.start(signal);
    await Promise.all([assert.rejects(started, { name: 'AbortError' }), service.stop(Deadline.after(seconds(5)))]);
    assert.equal(service.health().state, 'failing');
  }
});
