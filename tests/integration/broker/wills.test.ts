// Last wills of clients that are connected, that are taken over, and that end at once.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import type { IConnackPacket } from 'mqtt-packet';
import type { Admission } from '../../../broker/index.ts';
import { MemorySessions } from '../../support/memory-sessions.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { RawClient } from './raw-client.ts';
import { deferred, startBroker, TWIN_UPDATE, type RunningBroker } from './running-broker.ts';

type Will = Partial<{ readonly topic: string; readonly payload: string; readonly qos: 0 | 1 | 2 }>;

const MINUTE = 60_000;

async function announce(running: RunningBroker, clientId: string, will: Will): Promise<RawClient> {
  const { topic = 'will', payload = 'gone', qos = 1 } = will;
  const client = await RawClient.open(running.port);
  client.send({
    ...{ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId, clean: true, keepalive: 60 },
    will: { topic, payload: Buffer.from(payload), qos, retain: false },
  });
  return client;
}

async function mortal(running: RunningBroker, clientId: string, will: Will = {}): Promise<RawClient> {
  const client = await announce(running, clientId, will);
  assert.equal(((await client.next('connack')) as IConnackPacket).returnCode, 0);
  return client;
}

const heardBy = (client: RawClient): string[] =>
  client.received.flatMap((packet) => (packet.cmd === 'publish' ? [packet.payload.toString()] : []));

const storedIn = ({ records }: MemorySessions): string[] =>
  [...records].flatMap(([key, value]) =>
    key.startsWith('will/')
      ? [Buffer.from((JSON.parse(value) as { payload: string }).payload, 'base64').toString()]
      : [],
  );

/** What runs every so often, as long as it does. */
class Intervals {
  readonly #running = new Map<unknown, { readonly run: () => void; readonly every: number }>();
  /** How often what began runs, whatever became of it. */
  readonly begun: number[] = [];

  constructor() {
    const { setInterval, clearInterval } = globalThis;
    mock.method(globalThis, 'setInterval', (run: () => void, every: number) => {
      const interval = setInterval(run, every);
      this.#running.set(interval, { run, every });
      this.begun.push(every);
      return interval;
    });
    mock.method(globalThis, 'clearInterval', (interval: NodeJS.Timeout) => {
      this.#running.delete(interval);
      clearInterval(interval);
    });
  }

  run(time: number): void {
    for (const { run, every } of this.#running.values()) if (every === time) run();
  }
}

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

    assert.deepEqual(storedIn(storage), ['second']);
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

  assert.deepEqual(storedIn(storage), ['second']);
  held.get('second')?.resolve({ kind: 'admit' });
  await waitUntil('its record to go', () => storedIn(storage).length === 0);
  other.end();
});
