// What the broker promises sessions while it runs, over storage that a test holds in its hand.
import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { generate, type Packet } from 'mqtt-packet';
import type { Admission } from '../../../broker/index.ts';
import { MemorySessions } from '../../support/memory-sessions.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { RawClient } from './raw-client.ts';
import { deferred, startBroker, TWIN_UPDATE, type RunningBroker } from './running-broker.ts';

const payloadsAt = (client: RawClient): string[] =>
  client.received.flatMap((packet) => (packet.cmd === 'publish' ? [packet.payload.toString()] : []));

const countOf = (client: RawClient, cmd: string): number =>
  client.received.filter((packet) => packet.cmd === cmd).length;

async function leaveSession(running: RunningBroker, clientId: string, filter: string): Promise<void> {
  const client = await RawClient.connected(running.port, clientId, false);
  await client.subscribe(filter, 2);
  client.end();
  await waitUntil('the client to be gone', () => running.broker.connectedClients === 0);
}

/** Storage that refuses, or answers when it is told to. */
class HeldSessions extends MemorySessions {
  hold: Promise<unknown> = Promise.resolve();
  /** The first commit that waits for `hold`. */
  holdFrom = 0;
  commits = 0;

  override async commit(build: Parameters<MemorySessions['commit']>[0]): Promise<void> {
    this.commits += 1;
    if (this.commits >= this.holdFrom) await this.hold;
    await super.commit(build);
  }
}

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

void test('a session is there for the next broker, with everything that was acknowledged for it', async () => {
  const storage = new MemorySessions();
  const first = await startBroker({}, 0, storage);
  await leaveSession(first, 'keeper', 'news/#');
  const publisher = await RawClient.connected(first.port, 'publisher');
  for (let n = 1; n <= 5; n += 1) publisher.publish('news/1', String(n), { qos: 1, messageId: n });
  await waitUntil('all PUBACKs', () => countOf(publisher, 'puback') === 5);
  await first.stop();

  await using second = await startBroker({}, 0, new MemorySessions(storage.records));
  const keeper = await RawClient.connected(second.port, 'keeper', false);
  await waitUntil('all messages', () => payloadsAt(keeper).length === 5);
  assert.deepEqual(payloadsAt(keeper), ['1', '2', '3', '4', '5']);
  keeper.end();
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

void test('a QoS 2 publication past its client’s window leaves nothing behind, and is delivered once when it is sent again', async () => {
  const WINDOW = 1000;
  const storage = new MemorySessions();
  await using running = await startBroker({}, 0, storage);
  await leaveSession(running, 'keeper', 'news');
  const greedy = await RawClient.connected(running.port, 'greedy', false);
  for (let n = 1; n <= WINDOW; n += 1) greedy.publish('elsewhere', String(n), { qos: 2, messageId: n });
  await waitUntil('all PUBRECs', () => countOf(greedy, 'pubrec') === WINDOW);
  greedy.publish('news', 'too much', { qos: 2, messageId: WINDOW + 1 });
  await greedy.closed();
  await waitUntil(
    'the journal to be empty',
    () => ![...storage.records.keys()].some((key) => key.startsWith('journal/')),
  );

  const again = await RawClient.connected(running.port, 'greedy', false);
  again.send({ cmd: 'pubrel', messageId: 1 });
  await again.next('pubcomp');
  again.publish('news', 'too much', { qos: 2, messageId: WINDOW + 1, dup: true });
  await again.next('pubrec');

  const keeper = await RawClient.connected(running.port, 'keeper', false);
  await keeper.next('publish');
  await keeper.ping();
  assert.deepEqual(payloadsAt(keeper), ['too much']);
  for (const client of [again, keeper]) client.end();
});

void test('a session that is resumed is given no packet id that one of its messages still has', async () => {
  await using running = await startBroker();
  const first = await RawClient.connected(running.port, 'keeper', false);
  await first.subscribe('news', 1);
  for (const message of ['1', '2', '3']) await running.broker.publish('news', message);
  await waitUntil('three messages', () => payloadsAt(first).length === 3);
  const given = first.received.flatMap(({ cmd, messageId }) => (cmd === 'publish' ? [messageId ?? 0] : []));
  first.end();
  await waitUntil('the client to be gone', () => running.broker.connectedClients === 0);

  const second = await RawClient.connected(running.port, 'keeper', false);
  await waitUntil('the same three', () => payloadsAt(second).length === 3);
  await running.broker.publish('news', '4');
  await waitUntil('the fourth', () => payloadsAt(second).length === 4);

  const ids = second.received.flatMap(({ cmd, messageId }) => (cmd === 'publish' ? [messageId ?? 0] : []));
  assert.deepEqual(ids, [...given, ((given[2] ?? 0) % 65_535) + 1]);
  second.end();
});

void test('of a QoS 2 publication that was routed only the packet id is kept until it is released', async () => {
  const storage = new MemorySessions();
  const first = await startBroker({}, 0, storage);
  const publisher = await RawClient.connected(first.port, 'publisher', false);
  publisher.publish('elsewhere', 'x'.repeat(1000), { qos: 2, messageId: 7 });
  await publisher.next('pubrec');
  publisher.end();
  await first.stop();
  assert.deepEqual([...storage.records], [['incoming/publisher/7', '1']]);

  await using second = await startBroker({}, 0, storage);
  const listener = await RawClient.connected(second.port, 'listener');
  await listener.subscribe('#', 2);
  const again = await RawClient.connected(second.port, 'publisher', false);
  again.publish('elsewhere', 'x'.repeat(1000), { qos: 2, messageId: 7, dup: true });
  await again.next('pubrec');
  again.send({ cmd: 'pubrel', messageId: 7 });
  await again.next('pubcomp');

  assert.deepEqual([...storage.records], []);
  await listener.ping();
  assert.deepEqual(payloadsAt(listener), []);
  for (const client of [again, listener]) client.end();
});

void test('no PUBCOMP comes before storage knows that the packet id is free, however often PUBREL is sent', async () => {
  const storage = new HeldSessions();
  await using running = await startBroker({}, 0, storage);
  const publisher = await RawClient.connected(running.port, 'publisher', false);
  publisher.publish('elsewhere', 'x', { qos: 2, messageId: 7 });
  await publisher.next('pubrec');
  const { promise, resolve } = deferred<undefined>();
  storage.hold = promise;
  const before = storage.commits;

  publisher.send({ cmd: 'pubrel', messageId: 7 });
  await waitUntil('storage to be asked', () => storage.commits > before);
  publisher.send({ cmd: 'pubrel', messageId: 7 });
  await publisher.ping();
  assert.equal(publisher.has('pubcomp'), false);

  resolve(undefined);
  await waitUntil('both answers', () => countOf(publisher, 'pubcomp') === 2);
  publisher.end();
});

void test('a resend at QoS 2 is kept, though the publication that it repeats was abandoned meanwhile', async () => {
  const storage = new HeldSessions();
  await using running = await startBroker({}, 0, storage);
  const { promise, resolve } = deferred<undefined>();
  storage.hold = promise;
  const hasty = await RawClient.connected(running.port, 'publisher', false);
  hasty.publish('elsewhere', 'x', { qos: 2, messageId: 7 });
  await waitUntil('storage to be asked', () => storage.commits === 1);
  hasty.end();
  await waitUntil('the client to be gone', () => running.broker.connectedClients === 0);
  const again = await RawClient.connected(running.port, 'publisher', false);
  again.publish('elsewhere', 'x', { qos: 2, messageId: 7, dup: true });
  // What is answered shows that what was said before it was read.
  await again.ping();

  resolve(undefined);
  await again.next('pubrec');
  // A SUBACK waits for all that is to be written.
  await again.subscribe('other');

  assert.equal(storage.records.get('incoming/publisher/7'), '1');
  again.end();
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
  running.broker.accept(sender, new Socket());
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

const idsAt = (client: RawClient): number[] =>
  client.received.flatMap(({ cmd, messageId }) => (cmd === 'publish' ? [messageId ?? 0] : []));

void test('an old message that goes on, and a resend that is cut, do not make packet ids be given twice', async () => {
  await using running = await startBroker();
  const first = await RawClient.connected(running.port, 'keeper', false);
  await first.subscribe('news', 2);
  const publisher = await RawClient.connected(running.port, 'publisher');
  for (let n = 1; n <= 4; n += 1) publisher.publish('news', String(n), { qos: 2, messageId: n });
  await waitUntil('four messages', () => idsAt(first).length === 4);
  const open = idsAt(first);
  first.send({ cmd: 'pubrec', messageId: open[0] ?? 0 });
  await first.next('pubrel');
  first.end();
  await waitUntil('the client to be gone', () => running.broker.connectedClients === 1);
  for (let n = 5; n <= 8; n += 1) publisher.publish('news', String(n), { qos: 2, messageId: n });
  await waitUntil('all to be kept', () => countOf(publisher, 'pubrec') === 8);

  const cut = await RawClient.connected(running.port, 'keeper', false);
  await cut.next('publish');
  cut.end();
  await waitUntil('the client to be gone', () => running.broker.connectedClients === 1);
  const last = await RawClient.connected(running.port, 'keeper', false);
  await waitUntil('all that is open', () => payloadsAt(last).length === 7);

  assert.deepEqual(payloadsAt(last), ['2', '3', '4', '5', '6', '7', '8']);
  assert.equal(new Set([...open, ...idsAt(last)]).size, 8);
  for (const client of [publisher, last]) client.end();
});

void test('when a client is told that its session is a new one, nothing of the old one is in storage', async () => {
  const storage = new MemorySessions();
  await using running = await startBroker({}, 0, storage);
  await leaveSession(running, 'keeper', 'news');
  await running.broker.publish('news', 'old');
  await waitUntil('the message to be stored', () => [...storage.records.keys()].some((key) => /^queue/.test(key)));

  const keeper = await RawClient.open(running.port);
  let atConnack: string[] | undefined;
  keeper.socket.once('data', () => (atConnack = [...storage.records.keys()]));
  keeper.send({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clientId: 'keeper',
    clean: true,
    keepalive: 60,
  });
  await keeper.next('connack');

  assert.deepEqual(atConnack, []);
  keeper.end();
});

void test('a session that is resumed under way gets every message once and in order', async () => {
  for (const qos of [1, 2] as const) {
    await using running = await startBroker({}, 0, new MemorySessions());
    await leaveSession(running, 'keeper', 'news');
    const publisher = await RawClient.connected(running.port, 'publisher');
    let last = 0;
    const publish = (): void => publisher.publish('news', String((last += 1)), { qos, messageId: last });
    for (let n = 0; n < 100; n += 1) publish();
    const keeper = await RawClient.open(running.port);
    keeper.send({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clientId: 'keeper',
      clean: false,
      keepalive: 60,
    });
    while (last < 600) {
      publish();
      await new Promise(setImmediate);
    }

    await waitUntil('all messages', () => payloadsAt(keeper).length >= last);
    await keeper.ping();
    assert.deepEqual(
      payloadsAt(keeper),
      Array.from({ length: last }, (_, n) => String(n + 1)),
    );
    for (const client of [publisher, keeper]) client.end();
  }
});

void test('a session that comes while a message is being put into its queue is sent it once', async () => {
  const storage = new HeldSessions();
  await using running = await startBroker({}, 0, storage);
  await leaveSession(running, 'keeper', 'news');
  const publisher = await RawClient.connected(running.port, 'publisher');
  const { promise, resolve } = deferred<undefined>();
  // The first is the journal's, the second fills the queue.
  storage.holdFrom = storage.commits + 2;
  storage.hold = promise;
  publisher.publish('news', 'once', { qos: 2, messageId: 1 });
  await waitUntil('the queue to be written', () => storage.commits >= storage.holdFrom);

  const keeper = await RawClient.connected(running.port, 'keeper', false);
  resolve(undefined);

  await publisher.next('pubrec');
  const { messageId = 0 } = await keeper.next('publish');
  keeper.send({ cmd: 'pubrec', messageId });
  await keeper.next('pubrel');
  await keeper.ping();
  assert.deepEqual(payloadsAt(keeper), ['once']);
  for (const client of [publisher, keeper]) client.end();
});

void test('a session with a wildcard at the beginning of its filter keeps no topic that begins with $', async () => {
  await using running = await startBroker();
  await leaveSession(running, 'keeper', '#');

  await running.broker.publish('$hw/events/anything', 'hidden');
  await running.broker.publish('news', 'seen');

  const keeper = await RawClient.connected(running.port, 'keeper', false);
  await keeper.next('publish');
  await keeper.ping();
  assert.deepEqual(payloadsAt(keeper), ['seen']);
  keeper.end();
});

void test('a session with overlapping subscriptions keeps each message once', async () => {
  await using running = await startBroker();
  await leaveSession(running, 'keeper', 'news/#');
  await leaveSession(running, 'keeper', 'news/+');

  await running.broker.publish('news/1', 'once');

  const keeper = await RawClient.connected(running.port, 'keeper', false);
  await keeper.next('publish');
  await keeper.ping();
  assert.deepEqual(payloadsAt(keeper), ['once']);
  keeper.end();
});

async function leaveWill(topic: string): Promise<MemorySessions> {
  const storage = new MemorySessions();
  await using running = await startBroker({}, 0, storage);
  const mortal = await RawClient.open(running.port);
  const will = { topic, payload: Buffer.from('gone'), qos: 1 as const, retain: false };
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
  const killed = new MemorySessions(storage.records);
  mortal.end();
  return killed;
}

void test('a will that a killed broker left passes the gate of the next one', async () => {
  const storage = await leaveWill(TWIN_UPDATE);

  await using running = await startBroker({}, 0, storage);

  const seen = running.gate.asked.map(({ clientId, topic, payload }) => [
    clientId,
    topic,
    Buffer.from(payload).toString(),
  ]);
  assert.deepEqual(seen, [['mortal', TWIN_UPDATE, 'gone']]);
  await waitUntil('the will to be gone', () => storage.records.size === 0);
});

void test('a left will that may not be published is forgotten', async () => {
  const storage = await leaveWill('$skerry/forged');

  await using running = await startBroker({}, 0, storage);

  await waitUntil('the will to be gone', () => storage.records.size === 0);
  assert.deepEqual(running.gate.asked, []);
});

void test('a left will that the gate cannot keep yet is not forgotten', async () => {
  const storage = await leaveWill(TWIN_UPDATE);
  const running = await startBroker({}, 0, storage, () => Promise.resolve({ kind: 'unavailable' }));
  await running.stop();

  assert.ok(running.gate.asked.length > 0);
  assert.deepEqual([...storage.records.keys()], ['will/mortal/0000000000000001']);
});

interface Given {
  readonly qos: 0 | 1 | 2;
  readonly payload: string;
}

const givenTo = (client: RawClient): Given[] =>
  client.received.flatMap((packet) =>
    packet.cmd === 'publish' ? [{ qos: packet.qos, payload: packet.payload.toString() }] : [],
  );

void test('a session is sent a message at the highest QoS of its overlapping subscriptions, live and from the queue', async () => {
  const orders = [
    { 'news/#': 0, 'news/+': 2, 'news/1': 1 },
    { 'news/1': 2, 'news/+': 1, 'news/#': 0 },
    { 'news/1': 0, 'news/+': 1, 'news/#': 2 },
  ] as const;
  for (const filters of orders) {
    await using running = await startBroker();
    const first = await RawClient.connected(running.port, 'keeper', false);
    const subscriptions = Object.entries(filters).map(([topic, qos]) => ({ topic, qos }));
    first.send({ cmd: 'subscribe', messageId: 1, subscriptions });
    await first.next('suback');
    const publisher = await RawClient.connected(running.port, 'publisher');

    publisher.publish('news/1', 'live', { qos: 2, messageId: 1 });
    await first.next('publish');
    await first.ping();
    first.end();
    await waitUntil('the client to be gone', () => running.broker.connectedClients === 1);
    publisher.publish('news/1', 'kept', { qos: 2, messageId: 2 });
    await waitUntil('it to be kept', () => countOf(publisher, 'pubrec') === 2);
    const second = await RawClient.connected(running.port, 'keeper', false);
    await waitUntil('both', () => givenTo(second).length === 2);

    assert.deepEqual(givenTo(first), [{ qos: 2, payload: 'live' }]);
    assert.deepEqual(givenTo(second), [
      { qos: 2, payload: 'live' },
      { qos: 2, payload: 'kept' },
    ]);
    for (const client of [publisher, second]) client.end();
  }
});

void test('what a session subscribed to at QoS 0 is sent at QoS 0, and not kept', async () => {
  await using running = await startBroker();
  const keeper = await RawClient.connected(running.port, 'keeper', false);
  await keeper.subscribe('news', 0);

  await running.broker.publish('news', 'once');

  await keeper.next('publish');
  assert.deepEqual(givenTo(keeper), [{ qos: 0, payload: 'once' }]);
  keeper.end();
});

for (const clean of [true, false]) {
  void test(`a QoS 2 packet that a ${clean ? 'clean' : 'persistent'} client sends twice before it is answered is delivered once`, async () => {
    await using running = await startBroker({}, 0, new MemorySessions());
    await leaveSession(running, 'keeper', 'news/kept');
    const listener = await RawClient.connected(running.port, 'listener');
    await listener.subscribe('news/#', 2);
    const publisher = await RawClient.connected(running.port, 'publisher', clean);
    const topics = ['news/kept', 'news/live', TWIN_UPDATE];

    const twice = topics.flatMap((topic, at) => {
      const packet = { cmd: 'publish', topic, payload: topic, qos: 2, messageId: at + 1, retain: false } as const;
      return [generate({ ...packet, dup: false }), generate({ ...packet, dup: true })];
    });
    publisher.socket.write(Buffer.concat(twice));
    await waitUntil('all PUBRECs', () => countOf(publisher, 'pubrec') === 6);
    await listener.ping();

    assert.deepEqual(payloadsAt(listener).sort(), ['news/kept', 'news/live']);
    assert.equal(running.gate.asked.length, 1);
    const keeper = await RawClient.connected(running.port, 'keeper', false);
    await keeper.next('publish');
    await keeper.ping();
    assert.deepEqual(payloadsAt(keeper), ['news/kept']);
    for (const client of [publisher, listener, keeper]) client.end();
  });
}

void test('a will that the gate refuses is said when it accepts again, also by the next broker and after its client came back', async () => {
  const storage = new MemorySessions();
  const refusing = (): Promise<Admission> => Promise.resolve({ kind: 'unavailable' });
  const first = await startBroker({}, 0, storage, refusing);
  const will = { topic: TWIN_UPDATE, payload: Buffer.from('gone'), qos: 1 as const, retain: false };
  const hello = { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 60 } as const;
  const mortal = await RawClient.open(first.port);
  mortal.send({ ...hello, clientId: 'mortal', will });
  await mortal.next('connack');

  mortal.end();
  await waitUntil('the will to be refused', () => first.gate.asked.length === 1);
  const again = await RawClient.open(first.port);
  again.send({ ...hello, clientId: 'mortal', will: { ...will, payload: Buffer.from('not yet') } });
  await again.next('connack');
  again.send({ cmd: 'disconnect' });
  await waitUntil('the client to be gone', () => first.broker.connectedClients === 0);
  await first.stop();
  assert.deepEqual([...storage.records.keys()], ['will/mortal/0000000000000001']);

  const second = await startBroker({}, 0, new MemorySessions(storage.records), refusing);
  second.gate.answer = () => Promise.resolve({ kind: 'admit' });
  await waitUntil('the will to be said', () => second.gate.asked.length > 1);
  const said = second.gate.asked.map(({ clientId, payload }) => [clientId, Buffer.from(payload).toString()]);
  assert.deepEqual(said.at(-1), ['mortal', 'gone']);
  await second.stop();
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

void test('a session keeps what comes on levels without a name', async () => {
  await using running = await startBroker();
  await leaveSession(running, 'keeper', 'a/+/b');

  await running.broker.publish('a//b', 'kept');

  const keeper = await RawClient.connected(running.port, 'keeper', false);
  await keeper.next('publish');
  assert.deepEqual(payloadsAt(keeper), ['kept']);
  keeper.end();
});

void test('what is published while a subscription is being stored comes with it, before anything newer', async () => {
  const storage = new HeldSessions();
  await using running = await startBroker({}, 0, storage);
  const client = await RawClient.connected(running.port, 'keeper', false);
  const { promise, resolve } = deferred<void>();
  storage.hold = promise;
  const before = storage.commits;

  const subscribed = client.subscribe('news', 1);
  await waitUntil('the subscription to be on its way to storage', () => storage.commits > before);
  for (const payload of ['1', '2']) await running.broker.publish('news', payload);
  resolve();
  await subscribed;
  await running.broker.publish('news', '3');
  await client.ping();

  assert.deepEqual(payloadsAt(client), ['1', '2', '3']);
  client.end();
});
