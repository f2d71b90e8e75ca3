// Last wills of clients that are connected, that are taken over, that end at once, and whose broker is killed.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import type { Admission } from '../../../broker/index.ts';
import { MemorySessions } from '../../support/memory-sessions.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { heardBy, Intervals, mortal, storedIn } from './mortals.ts';
import { RawClient } from './raw-client.ts';
import { deferred, startBroker, TWIN_UPDATE } from './running-broker.ts';

const MINUTE = 60_000;

void test('a clock that is set ahead says the will of nobody who is connected', async () => {
  const now = mock.method(Date, 'now');
  const intervals = new Intervals();
  try {
    await using running = await startBroker({}, 0, new MemorySessions());
    const listener = await RawClient.connected(running.port, 'listener');
    await listener.subscribe('will');
    const client = await mortal(running, 'sensor');

    assert.ok(intervals.begun.includes(4 * MINUTE), 'Aedes would look for brokers that are gone');
    intervals.run(MINUTE);
    await listener.ping();
    const tomorrow = Date.now() + 24 * 60 * MINUTE;
    now.mock.mockImplementation(() => tomorrow);
    intervals.run(4 * MINUTE);
    await new Promise(setImmediate);
    await client.ping();
    await listener.ping();

    assert.deepEqual(heardBy(listener), []);
    client.end();
    await waitUntil('the will to be heard', () => heardBy(listener).length === 1);
    listener.end();
  } finally {
    mock.restoreAll();
  }
});

for (const qos of [0, 1] as const) {
  void test(`a client that takes its predecessor over keeps its own will, where that at QoS ${qos} is said`, async () => {
    const storage = new MemorySessions();
    await using running = await startBroker({}, 0, storage);
    const listener = await RawClient.connected(running.port, 'listener');
    await listener.subscribe('will');
    const first = await mortal(running, 'sensor', { payload: 'first', qos });

    const second = await mortal(running, 'sensor', { payload: 'second' });
    await first.closed();
    await waitUntil('the first will', () => heardBy(listener).includes('first'));
    await second.ping();

    await waitUntil('the record of the second to be left', () => storedIn(storage).join() === 'second');
    second.end();
    await waitUntil('the second will', () => heardBy(listener).includes('second'));
    await waitUntil('its record to go', () => storedIn(storage).length === 0);
    listener.end();
  });
}

void test('a will is kept until it is said itself, whenever the gate is done with those before it', async () => {
  const storage = new MemorySessions();
  await using running = await startBroker({}, 0, storage);
  const held = new Map([
    ['first', deferred<Admission>()],
    ['second', deferred<Admission>()],
  ]);
  running.gate.answer = ({ payload }) =>
    held.get(Buffer.from(payload).toString())?.promise ?? Promise.resolve({ kind: 'admit' });
  const asked = (count: number): Promise<unknown> =>
    waitUntil('the gate to be asked', () => running.gate.asked.length === count);
  const topic = TWIN_UPDATE;
  await mortal(running, 'sensor', { topic, payload: 'first' });
  const second = await mortal(running, 'sensor', { topic, payload: 'second' });
  await asked(1);
  second.end();
  await asked(2);

  held.get('first')?.resolve({ kind: 'admit' });
  const other = await RawClient.connected(running.port, 'other');
  await other.ping();

  await waitUntil('the record of the second to be left', () => storedIn(storage).join() === 'second');
  held.get('second')?.resolve({ kind: 'admit' });
  await waitUntil('its record to go', () => storedIn(storage).length === 0);
  other.end();
});

for (const topic of ['will', TWIN_UPDATE])
  void test(`killed at any moment of a takeover, a broker leaves each will to be said once: ${topic}`, async () => {
    const storage = new MemorySessions();
    const running = await startBroker({}, 0, storage);
    const keeper = await RawClient.connected(running.port, 'keeper', false);
    await keeper.subscribe(topic);
    keeper.end();
    await waitUntil('the keeper to be gone', () => running.broker.connectedClients === 0);
    const held = deferred<Admission>();
    running.gate.answer = ({ payload }) =>
      Buffer.from(payload).toString() === 'first' ? held.promise : Promise.resolve({ kind: 'admit' });
    const begin = storage.history.length;
    await mortal(running, 'sensor', { topic, payload: 'first' });
    const between = storage.history.length;
    const second = await mortal(running, 'sensor', { topic, payload: 'second' });
    const end = storage.history.length;
    held.resolve({ kind: 'admit' });
    await waitUntil('the first to be over', () => storedIn(storage).join() === 'second');
    second.end();
    await waitUntil('the second to be over', () => storedIn(storage).length === 0);
    await running.stop();

    for (const [at, records] of storage.history.entries()) {
      if (at < begin) continue;
      const killed = new MemorySessions(records);
      for (let start = 0; start < 2; start += 1) await (await startBroker({}, 0, killed)).stop();
      await using next = await startBroker({}, 0, killed);
      const heir = await RawClient.connected(next.port, 'keeper', false);
      await heir.ping();
      const all = heardBy(heir).sort();
      assert.deepEqual(all, at >= end - 1 || all.length > 1 ? ['first', 'second'] : ['first'], `after commit ${at}`);
      assert.ok(at >= between || all.length === 1);
      heir.end();
    }
  });

for (const how of ['lost', 'killed'] as const)
  void test(`a will with its retain flag is retained when its client is ${how}, and found after a restart`, async () => {
    const storage = new MemorySessions();
    const first = await startBroker({}, 0, storage);
    const client = await mortal(first, 'sensor', { retain: true });
    const killed = new MemorySessions(storage.records);
    client.end();
    if (how === 'lost') await waitUntil('its record to go', () => storedIn(storage).length === 0);
    await first.stop();

    for (let start = 0; start < 2; start += 1) {
      await using next = await startBroker({}, 0, how === 'killed' ? killed : storage);
      const listener = await RawClient.connected(next.port, 'listener');
      await listener.subscribe('will');
      await listener.next('publish');
      await listener.ping();
      assert.deepEqual(heardBy(listener), ['gone']);
      listener.end();
    }
  });

void test('a client that says DISCONNECT leaves its own late will to be said, and of two late ones the newer', async () => {
  const intervals = new Intervals();
  try {
    const storage = new MemorySessions();
    await using running = await startBroker({}, 0, storage, () => Promise.resolve({ kind: 'unavailable' }));
    const topic = TWIN_UPDATE;
    for (const [index, payload] of ['older', 'newer'].entries()) {
      const client = await mortal(running, 'sensor', { topic, payload });
      client.end();
      await waitUntil('the will to be refused', () => running.gate.asked.length > index);
      await waitUntil('it to be the only one', () => storedIn(storage).join() === payload);
    }
    const third = await mortal(running, 'sensor', { topic, payload: 'discarded' });
    third.send({ cmd: 'disconnect' });
    await waitUntil('its will to be discarded', () => storedIn(storage).join() === 'newer');

    const said: string[] = [];
    running.gate.answer = ({ payload }) => {
      said.push(Buffer.from(payload).toString());
      return Promise.resolve({ kind: 'admit' });
    };
    intervals.run(5_000);
    await waitUntil('the late one to be over', () => storedIn(storage).length === 0);
    intervals.run(5_000);
    const other = await RawClient.connected(running.port, 'other');
    await other.ping();
    other.end();

    assert.deepEqual(said, ['newer']);
  } finally {
    mock.restoreAll();
  }
});
