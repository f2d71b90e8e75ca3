// QoS 2 and packet ids: what is sent again is delivered once, and no packet id is given twice.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generate } from 'mqtt-packet';
import { MemorySessions } from '../../support/memory-sessions.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { RawClient } from './raw-client.ts';
import { deferred, startBroker, TWIN_UPDATE } from './running-broker.ts';
import { countOf, HeldSessions, idsAt, leaveSession, payloadsAt } from './sessions.ts';

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
