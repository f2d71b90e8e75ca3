// What the broker tells of its clients' coming and going.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Broker,
  BrokerListeners,
  type ClientWatcher,
  type SessionChanges,
  type SessionStorage,
} from '../../../broker/index.ts';
import { Deadline } from '../../../src/kit/deadline.ts';
import { seconds } from '../../../src/kit/units.ts';
import { MemorySessions } from '../../support/memory-sessions.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { WarningLog } from '../../support/warning-log.ts';
import { RawClient } from './raw-client.ts';
import { deferred, TestGate } from './running-broker.ts';

class Diary implements ClientWatcher {
  readonly entries: string[] = [];

  connected({ id, clean }: { readonly id: string; readonly clean: boolean }): void {
    this.entries.push(`${id} connected${clean ? '' : ' to its session'}`);
  }

  gone({ id }: { readonly id: string }, how: string): void {
    this.entries.push(`${id} ${how}`);
  }
}

async function startWatched(watcher: ClientWatcher, storage: SessionStorage = new MemorySessions()) {
  const gate = new TestGate();
  const log = new WarningLog();
  const broker = new Broker({}, { gate, watcher, storage, logger: log });
  const listeners = new BrokerListeners({ tcp: { host: '127.0.0.1', port: 0 } }, { broker, logger: log });
  const { signal } = new AbortController();
  await broker.start(signal);
  await listeners.start(signal);
  const stop = async (): Promise<void> => {
    await listeners.stop(Deadline.after(seconds(5)));
    await broker.stop(Deadline.after(seconds(5)));
  };
  return { broker, gate, log, port: listeners.addresses.tcp.port, stop, [Symbol.asyncDispose]: stop };
}

const connectPacket = (clientId: string, keepalive: number, clean = true) =>
  ({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId, clean, keepalive }) as const;

void test('it is told who connects, and whether who leaves said goodbye, was cut off, or fell silent', async () => {
  const diary = new Diary();
  await using running = await startWatched(diary);

  const polite = await RawClient.connected(running.port, 'polite', false);
  polite.send({ cmd: 'disconnect' });
  await waitUntil('the goodbye', () => diary.entries.length === 2);
  const abrupt = await RawClient.connected(running.port, 'abrupt');
  abrupt.end();
  await waitUntil('the loss', () => diary.entries.length === 4);
  const silent = await RawClient.open(running.port);
  silent.send(connectPacket('silent', 1));
  await silent.next('connack');
  await waitUntil('the silence to be noticed', () => diary.entries.length === 6);

  assert.deepEqual(diary.entries, [
    ...['polite connected to its session', 'polite disconnected'],
    ...['abrupt connected', 'abrupt lost'],
    ...['silent connected', 'silent lost'],
  ]);
});

void test('a client that is replaced is gone before its successor is connected, subscriptions or not', async () => {
  const diary = new Diary();
  await using running = await startWatched(diary);

  const first = await RawClient.connected(running.port, 'twin');
  await first.subscribe('a');
  const second = await RawClient.connected(running.port, 'twin');
  await first.closed();
  second.send({ cmd: 'disconnect' });
  await waitUntil('the end', () => diary.entries.length === 4);

  assert.deepEqual(diary.entries, ['twin connected', 'twin replaced', 'twin connected', 'twin disconnected']);
});

void test('of many connections of one id at once, one stays, and what is told is in turn', async () => {
  const diary = new Diary();
  await using running = await startWatched(diary);
  const first = await RawClient.connected(running.port, 'wanted');
  await first.subscribe('a');

  const rivals = await Promise.all(Array.from({ length: 20 }, () => RawClient.open(running.port)));
  for (const rival of rivals) rival.send(connectPacket('wanted', 60));
  await waitUntil('one to be left', () => rivals.filter(({ isClosed }) => !isClosed).length === 1);
  const [winner] = rivals.filter(({ isClosed }) => !isClosed);
  assert.ok(winner !== undefined);
  await winner.ping();

  assert.equal(running.broker.connectedClients, 1);
  assert.deepEqual(
    diary.entries,
    diary.entries.map((_, at) => (at % 2 === 0 ? 'wanted connected' : 'wanted replaced')),
  );
  assert.equal(diary.entries.at(-1), 'wanted connected');
  winner.end();
  await waitUntil('the winner to be gone', () => running.broker.connectedClients === 0);
});

void test('a connection that breaks off while its will is being stored leaves nobody behind', async () => {
  const diary = new Diary();
  const disk = deferred<undefined>();
  const storage = new (class extends MemorySessions {
    override async commit(build: () => SessionChanges): Promise<void> {
      await disk.promise;
      await super.commit(build);
    }
  })();
  await using running = await startWatched(diary, storage);
  const will = { topic: 'w', payload: Buffer.from('gone'), qos: 0, retain: false } as const;

  const hasty = await RawClient.open(running.port);
  hasty.send({ ...connectPacket('hasty', 60), will });
  await RawClient.connected(running.port, 'bystander');
  hasty.socket.resetAndDestroy();
  await RawClient.connected(running.port, 'second bystander');
  disk.resolve(undefined);
  await RawClient.connected(running.port, 'third bystander');

  assert.equal(running.broker.connectedClients, 3);
  assert.deepEqual(
    diary.entries.filter((entry) => entry.startsWith('hasty')),
    [],
  );
});

void test('who is refused is not told of, and a stop loses those who are left', async () => {
  const diary = new Diary();
  const running = await startWatched(diary);

  const nameless = await RawClient.open(running.port);
  nameless.socket.write(Buffer.of(0x10, 12, 0, 4, ...Buffer.from('MQTT'), 4, 0, 0, 60, 0, 0));
  await nameless.closed();
  await RawClient.connected(running.port, 'left');
  await running.stop();

  assert.deepEqual(diary.entries, ['left connected', 'left lost']);
});

void test('a client has put its last will to the gate when it is gone', async () => {
  const asked: number[] = [];
  const watcher = { connected: () => undefined, gone: () => asked.push(running.gate.asked.length) };
  await using running = await startWatched(watcher);
  const topic = '$hw/events/device/default/counter/twin/update';
  const client = await RawClient.open(running.port);
  client.send({ ...connectPacket('mortal', 60), will: { topic, payload: Buffer.from('{}'), qos: 1, retain: false } });
  await client.next('connack');

  client.end();
  await waitUntil('the word of its end', () => asked.length === 1);

  assert.deepEqual(asked, [1]);
});

void test('a watcher that throws harms nobody', async () => {
  const fail = (): void => {
    throw new Error('no');
  };
  await using running = await startWatched({ connected: fail, gone: fail });

  const client = await RawClient.connected(running.port, 'unharmed');
  await client.ping();
  client.end();
  await waitUntil('its end', () => running.broker.connectedClients === 0);

  assert.equal(running.log.warnings.length, 2);
});
