// What a session keeps of what is published, by its subscriptions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitUntil } from '../../support/wait-until.ts';
import { RawClient } from './raw-client.ts';
import { deferred, startBroker } from './running-broker.ts';
import { countOf, givenTo, HeldSessions, leaveSession, payloadsAt } from './sessions.ts';

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
