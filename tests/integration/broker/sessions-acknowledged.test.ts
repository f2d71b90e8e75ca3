// What a publication waits for before it is acknowledged, and what becomes of it when its sender does not wait.
import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { generate, type Packet } from 'mqtt-packet';
import { MemorySessions } from '../../support/memory-sessions.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { RawClient } from './raw-client.ts';
import { deferred, startBroker, TWIN_UPDATE } from './running-broker.ts';
import { countOf, HeldSessions, leaveSession, payloadsAt } from './sessions.ts';

void test('a publication that a session listens to is acknowledged when storage has it, and not before', async () => {
  const storage = new HeldSessions();
  await using running = await startBroker({}, 0, storage);
  await leaveSession(running, 'keeper', 'news');
  const { promise, resolve } = deferred<undefined>();
  storage.hold = promise;
  const before = storage.commits;
  const publisher = await RawClient.connected(running.port, 'publisher');

  publisher.publish('news', 'kept', { qos: 1, messageId: 1 });
  await waitUntil('storage to be asked', () => storage.commits > before);
  await publisher.ping();
  assert.equal(publisher.has('puback'), false);

  resolve(undefined);
  await publisher.next('puback');
  const records = [...storage.records.keys()].map((key) => key.split('/')[0]);
  assert.ok(records.includes('page'));
  publisher.end();
});

void test('a publication that no session listens to is acknowledged without a commit', async () => {
  const storage = new HeldSessions();
  await using running = await startBroker({}, 0, storage);
  await leaveSession(running, 'keeper', 'news');
  const before = storage.commits;
  const listener = await RawClient.connected(running.port, 'listener');
  await listener.subscribe('#', 1);
  const publisher = await RawClient.connected(running.port, 'publisher', false);

  for (let n = 1; n <= 20; n += 1) publisher.publish('elsewhere', String(n), { qos: 1, messageId: n });
  await waitUntil('all PUBACKs', () => countOf(publisher, 'puback') === 20);
  await waitUntil('all messages', () => payloadsAt(listener).length === 20);

  assert.equal(storage.commits, before);
  publisher.end();
  listener.end();
});

void test('storage that refuses withholds PUBACK and SUBACK, and what is sent again later is kept', async () => {
  const storage = new MemorySessions();
  await using running = await startBroker({}, 0, storage);
  await leaveSession(running, 'keeper', 'news');
  storage.refusal = new Error('no space left');
  const subscriber = await RawClient.connected(running.port, 'subscriber', false);
  subscriber.send({ cmd: 'subscribe', messageId: 5, subscriptions: [{ topic: 'other', qos: 1 }] });
  const first = await RawClient.connected(running.port, 'publisher', false);
  first.publish('news', 'lost?', { qos: 1, messageId: 1 });
  await first.closed();
  assert.equal(first.has('puback'), false);
  assert.equal(subscriber.has('suback'), false);

  storage.refusal = undefined;
  const second = await RawClient.connected(running.port, 'publisher', false);
  second.publish('news', 'lost?', { qos: 1, messageId: 1, dup: true });
  await second.next('puback');
  await subscriber.next('suback');

  const keeper = await RawClient.connected(running.port, 'keeper', false);
  await keeper.next('publish');
  await keeper.ping();
  assert.deepEqual(payloadsAt(keeper), ['lost?']);
  for (const client of [second, subscriber, keeper]) client.end();
});

void test('what the gate commits takes the journal entry along, and no second commit is made for it', async () => {
  const storage = new HeldSessions();
  await using running = await startBroker({}, 0, storage);
  await leaveSession(running, 'keeper', TWIN_UPDATE);
  let taken: readonly string[] = [];
  running.gate.answer = async (publication) => {
    const changes = publication.routing?.changes() ?? [];
    taken = changes.map(([key]) => key.split('/')[0] ?? '');
    await storage.commit(() => changes);
    return { kind: 'admit' };
  };
  const before = storage.commits;
  const publisher = await RawClient.connected(running.port, 'publisher');

  publisher.publish(TWIN_UPDATE, '{}', { qos: 1, messageId: 1 });
  await publisher.next('puback');

  assert.deepEqual(taken, ['page']);
  assert.equal(storage.commits, before + 1);
  publisher.end();
});

void test('a message whose sender left at once reaches sessions all the same', async () => {
  const storage = new HeldSessions();
  await using running = await startBroker({}, 0, storage);
  await leaveSession(running, 'keeper', 'news');
  const { promise, resolve } = deferred<undefined>();
  storage.hold = promise;
  const before = storage.commits;
  const hasty = await RawClient.connected(running.port, 'hasty');
  hasty.publish('news', 'bye', { qos: 1, messageId: 1 });
  await waitUntil('storage to be asked', () => storage.commits > before);
  hasty.end();
  await waitUntil('the sender to be gone', () => running.broker.connectedClients === 0);

  resolve(undefined);

  const keeper = await RawClient.connected(running.port, 'keeper', false);
  await keeper.next('publish');
  assert.deepEqual(payloadsAt(keeper), ['bye']);
  keeper.end();
});

/** A connection whose other end takes nothing any more when it is told so. */
class StalledConnection extends Duplex {
  isStalled = false;
  written = 0;

  constructor() {
    super({ writableHighWaterMark: 1 });
  }

  say(packet: Packet): void {
    this.push(generate(packet));
  }

  override _read(): void {
    // It is pushed.
  }

  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    this.written += 1;
    if (!this.isStalled) done();
  }
}

void test('a message whose sender did not take its PUBACK reaches sessions all the same', async () => {
  const storage = new MemorySessions();
  await using running = await startBroker({}, 0, storage);
  await leaveSession(running, 'keeper', 'news');
  const sender = new StalledConnection();
  running.broker.accept(sender, { socket: new Socket() });
  sender.say({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId: 'deaf', clean: true, keepalive: 60 });
  await waitUntil('the sender to be there', () => running.broker.connectedClients === 1 && sender.written > 0);
  sender.isStalled = true;
  const before = sender.written;
  sender.say({ cmd: 'publish', topic: 'news', payload: 'heard', qos: 1, messageId: 1, retain: false, dup: false });
  await waitUntil('its PUBACK to be written', () => sender.written > before);

  sender.destroy();

  const keeper = await RawClient.connected(running.port, 'keeper', false);
  await keeper.next('publish');
  await keeper.ping();
  assert.deepEqual(payloadsAt(keeper), ['heard']);
  await waitUntil('the queue to hold it', () => [...storage.records.keys()].some((key) => /^queue/.test(key)));
  keeper.end();
});

for (const qos of [0, 1, 2] as const) {
  void test(`a retained publication at QoS ${qos} is acknowledged and handed out before one that came after it`, async () => {
    await using running = await startBroker({}, 0, new MemorySessions());
    const listener = await RawClient.connected(running.port, 'listener');
    await listener.subscribe('news', 2);
    const publisher = await RawClient.connected(running.port, 'publisher');
    const payloads = Array.from({ length: 20 }, (_, n) => String(n + 1));

    const packets = payloads.map((payload, at) =>
      generate({
        ...{ cmd: 'publish', topic: 'news', payload, qos, dup: false, retain: at % 3 === 0 },
        ...(qos === 0 ? {} : { messageId: at + 1 }),
      }),
    );
    publisher.socket.write(Buffer.concat(packets));
    await waitUntil('all messages', () => payloadsAt(listener).length === payloads.length);

    assert.deepEqual(payloadsAt(listener), payloads);
    const answers = publisher.received.flatMap(({ cmd, messageId }) => (cmd === 'connack' ? [] : [String(messageId)]));
    assert.deepEqual(answers, qos === 0 ? [] : payloads);
    for (const client of [publisher, listener]) client.end();
  });
}
