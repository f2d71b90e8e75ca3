// What becomes of a session when its client or the broker is away, over storage that a test holds in its hand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemorySessions } from '../../support/memory-sessions.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { RawClient } from './raw-client.ts';
import { deferred, startBroker } from './running-broker.ts';
import { countOf, HeldSessions, leaveSession, payloadsAt } from './sessions.ts';

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
