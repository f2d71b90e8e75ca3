// How many sessions and subscriptions there may be, and what is told to whom there is no room for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IConnackPacket, ISubackPacket, ISubscription } from 'mqtt-packet';
import { MemorySessions, SlowSessions } from '../../support/memory-sessions.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { RawClient } from './raw-client.ts';
import { deferred, startBroker, type RunningBroker } from './running-broker.ts';

async function connack(running: RunningBroker, clientId: string, clean: boolean): Promise<number | undefined> {
  const client = await RawClient.open(running.port);
  client.send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId, clean, keepalive: 60 });
  const { returnCode } = (await client.next('connack')) as IConnackPacket;
  client.end();
  return returnCode;
}

async function granted(client: RawClient, filters: readonly string[], messageId = 5): Promise<unknown> {
  const subscriptions: ISubscription[] = filters.map((topic) => ({ topic, qos: 1 }));
  client.send({ cmd: 'subscribe', messageId, subscriptions });
  const suback = await waitUntil('the SUBACK', () =>
    client.received.find((packet) => packet.cmd === 'suback' && packet.messageId === messageId),
  );
  return (suback as ISubackPacket).granted;
}

async function leaveSession(running: RunningBroker, clientId: string, filters: readonly string[]): Promise<void> {
  const client = await RawClient.connected(running.port, clientId, false);
  if (filters.length > 0) await granted(client, filters);
  client.end();
  await waitUntil('the client to be gone', () => running.broker.connectedClients === 0);
}

void test('beyond the number of sessions a new one is refused with CONNACK 3, and one that exists is resumed', async () => {
  await using running = await startBroker({ limits: { sessions: 2 } });
  await leaveSession(running, 'first', ['news']);
  await leaveSession(running, 'second', ['news']);

  assert.equal(await connack(running, 'third', false), 3);
  assert.equal(await connack(running, 'third', true), 0);
  assert.equal(await connack(running, 'second', false), 0);

  assert.equal(await connack(running, 'second', true), 0);
  assert.equal(await connack(running, 'third', false), 0);
});

void test('the number of sessions holds for clients that come at once, and those that go before they are in leave their place', async () => {
  const storage = new SlowSessions();
  await using running = await startBroker({ limits: { sessions: 5 } }, 0, storage);
  const held = deferred<undefined>();
  storage.wait = held.promise;
  const hello = { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: false, keepalive: 60 } as const;
  // A will is stored before its client is in.
  const will = { topic: 'gone', payload: Buffer.from('x'), qos: 0, retain: false } as const;
  const begin = async (clientId: string): Promise<RawClient> => {
    const client = await RawClient.open(running.port);
    client.send({ ...hello, clientId, will });
    return client;
  };
  const clients = await Promise.all(Array.from({ length: 20 }, (_, at) => begin(`client-${at}`)));
  const refused = (): RawClient[] => clients.filter(({ received }) => received.length > 0);
  await waitUntil('the rest to be refused', () => refused().length === 15);
  const [first, ...others] = clients.filter((client) => !refused().includes(client));

  first?.end();
  await waitUntil('its place', () => running.broker.statistics.sessions?.sessions === 4);
  others.push(await begin('late'));
  await waitUntil('the late one at the door', () => running.broker.statistics.sessions?.sessions === 5);
  assert.equal(await connack(running, 'too late', false), 3);
  held.resolve(undefined);

  for (const client of others) assert.equal(((await client.next('connack')) as IConnackPacket).returnCode, 0);
  assert.equal(running.broker.statistics.sessions?.sessions, 5);
  for (const client of others) client.end();
});

void test('a client that leaves nothing behind takes no session from others', async () => {
  await using running = await startBroker({ limits: { sessions: 1 } });

  for (const client of ['a', 'b', 'c']) await leaveSession(running, client, []);

  assert.equal(await connack(running, 'd', false), 0);
});

void test('the number of sessions holds over a restart', async () => {
  const storage = new MemorySessions();
  const limits = { sessions: 1 };
  const first = await startBroker({ limits }, 0, storage);
  await leaveSession(first, 'keeper', ['news']);
  await first.stop();

  await using second = await startBroker({ limits }, 0, storage);

  assert.equal(await connack(second, 'another', false), 3);
  assert.equal(await connack(second, 'keeper', false), 0);
});

for (const clean of [true, false]) {
  const kind = clean ? 'clean' : 'persistent';
  void test(`a client of a ${kind} session has as many subscriptions as it may, and refused filters cost it none`, async () => {
    const storage = new MemorySessions();
    await using running = await startBroker({ limits: { clientSubscriptions: 2 } }, 0, storage);
    const client = await RawClient.connected(running.port, 'client', clean);

    assert.deepEqual(await granted(client, ['a', 'x'.repeat(2049), 'b', 'c']), [1, 128, 1, 128]);
    assert.deepEqual(await granted(client, ['a', 'b'], 6), [1, 1]);
    client.send({ cmd: 'unsubscribe', messageId: 7, unsubscriptions: ['a'] });
    await client.next('unsuback');
    assert.deepEqual(await granted(client, ['c'], 8), [1]);

    for (const topic of ['a', 'b', 'c']) await running.broker.publish(topic, topic);
    await waitUntil('two messages', () => client.received.filter(({ cmd }) => cmd === 'publish').length === 2);
    const stored = [...storage.records.keys()].filter((key) => key.startsWith('subscription/'));
    assert.deepEqual(stored.sort(), clean ? [] : ['subscription/client/b', 'subscription/client/c']);
    client.end();
  });
}

void test('all clients together have as many subscriptions as they may, and who leaves makes room', async () => {
  await using running = await startBroker({ limits: { totalSubscriptions: 2 } });
  const first = await RawClient.connected(running.port, 'first');
  const second = await RawClient.connected(running.port, 'second');
  assert.deepEqual(await granted(first, ['a', 'b']), [1, 1]);
  assert.deepEqual(await granted(second, ['a']), [128]);

  first.end();
  await waitUntil('the client to be gone', () => running.broker.connectedClients === 1);

  assert.deepEqual(await granted(second, ['a', 'b', 'c'], 6), [1, 1, 128]);
  second.end();
});

void test('a filter that is named twice in a SUBSCRIBE counts once, and has two codes also where it is refused', async () => {
  await using running = await startBroker({ limits: { clientSubscriptions: 2 } });
  const client = await RawClient.connected(running.port, 'client', false);

  assert.deepEqual(await granted(client, ['a', 'a', 'b', 'c', 'c', 'b']), [1, 1, 1, 128, 128, 1]);

  assert.equal(running.broker.statistics.sessions?.subscriptions, 2);
  client.end();
});
