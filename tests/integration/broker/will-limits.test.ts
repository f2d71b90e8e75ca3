// How much the last wills of all clients may take, and what is told to whom there is no room for.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import type { IConnackPacket } from 'mqtt-packet';
import type { SessionStorage } from '../../../broker/index.ts';
import { bytes } from '../../../src/kit/units.ts';
import { MemorySessions, SlowSessions } from '../../support/memory-sessions.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { WarningLog } from '../../support/warning-log.ts';
import { announce, Intervals, mortal, storedIn } from './mortals.ts';
import { RawClient } from './raw-client.ts';
import { deferred, startLogged, TWIN_UPDATE, type RunningBroker } from './running-broker.ts';

/** With what it takes beside its payload, one such will fills more than half of the room. */
const LARGE = 'x'.repeat(1_000);
const limits = { willBytes: bytes(2_048) };

interface Logged extends RunningBroker {
  readonly log: WarningLog;
}

async function startWith(storage: SessionStorage): Promise<Logged> {
  const log = new WarningLog();
  return { log, ...(await startLogged(log, { limits }, { storage })) };
}

async function answerTo(running: RunningBroker, clientId: string, payload = LARGE): Promise<number | undefined> {
  const client = await announce(running, clientId, { payload });
  const { returnCode } = (await client.next('connack')) as IConnackPacket;
  if (returnCode === 0) client.send({ cmd: 'disconnect' });
  await client.closed();
  client.end();
  return returnCode;
}

const held = ({ broker }: RunningBroker): number => broker.statistics.sessions?.wills ?? 0;

void test('a client whose will has no room beside those of others is told so, and let in when one of them is over', async () => {
  await using running = await startWith(new MemorySessions());
  const first = await mortal(running, 'first', { payload: LARGE });

  assert.equal(await answerTo(running, 'second'), 3);

  const [line = ''] = running.log.warnings;
  const { limit, option, reason, client } = JSON.parse(line.slice(line.indexOf('{'))) as Record<string, unknown>;
  const expected = { limit: 2_048, option: '--mqtt-will-bytes', reason: 'will-bytes', client: 'second' };
  assert.deepEqual({ limit, option, reason, client }, expected);
  assert.equal(running.broker.statistics.refused['will-bytes'], 1);
  assert.equal(await answerTo(running, 'second', 'small'), 0);
  const other = await RawClient.connected(running.port, 'other');
  other.end();
  first.end();
  await waitUntil('its will to be said', () => held(running) === 0);
  assert.equal(await answerTo(running, 'second'), 0);
  assert.equal(await answerTo(running, 'second'), 0, 'one that was discarded leaves its room');
  assert.equal(running.broker.statistics.sessions?.willBytes, 0);
});

void test('a client that comes back takes the room of the will that it left connected', async () => {
  const storage = new MemorySessions();
  await using running = await startWith(storage);
  const first = await mortal(running, 'same', { payload: LARGE });

  const second = await mortal(running, 'same', { payload: LARGE });

  await first.closed();
  await waitUntil('one will to be left', () => held(running) === 1);
  assert.equal(await answerTo(running, 'another'), 3);
  second.end();
  await waitUntil('it to be said', () => held(running) === 0);
});

void test('a connection that ends before its will is stored leaves its room', async () => {
  const storage = new SlowSessions();
  await using running = await startWith(storage);
  const disk = deferred<undefined>();
  storage.wait = disk.promise;
  const hasty = await announce(running, 'hasty', { payload: LARGE });
  await waitUntil('its will to be held', () => held(running) === 1);

  hasty.end();

  await waitUntil('its room to be left', () => held(running) === 0);
  disk.resolve(undefined);
  storage.wait = undefined;
  assert.equal(await answerTo(running, 'second'), 0);
  await waitUntil('no will to be stored', () => storedIn(storage).length === 0);
});

void test('a client that another limit keeps out leaves the room of its will', async () => {
  await using running = await startLogged(new WarningLog(), { limits: { ...limits, connections: 1 } });
  const first = await RawClient.connected(running.port, 'first');
  assert.equal(await answerTo(running, 'second'), 3);
  assert.equal(running.broker.statistics.refused.connections, 1);
  first.end();
  await waitUntil('the place to be free', () => running.broker.connectedClients === 0);

  assert.equal(await answerTo(running, 'third'), 0);
  assert.equal(held(running), 0);
});

void test('a late will holds its room until it is said, also over a restart', async () => {
  const intervals = new Intervals();
  try {
    const storage = new MemorySessions();
    const first = await startWith(storage);
    first.gate.answer = () => Promise.resolve({ kind: 'unavailable' });
    const client = await mortal(first, 'sensor', { topic: TWIN_UPDATE, payload: LARGE });
    client.end();
    await waitUntil('it to be refused', () => first.gate.asked.length > 0);
    assert.equal(await answerTo(first, 'second'), 3);
    await first.stop();

    const refusing = (): Promise<{ kind: 'unavailable' }> => Promise.resolve({ kind: 'unavailable' });
    await using second = await startLogged(new WarningLog(), { limits }, { storage, answer: refusing });
    assert.equal(await answerTo(second, 'second'), 3);
    second.gate.answer = () => Promise.resolve({ kind: 'admit' });
    intervals.run(5_000);
    await waitUntil('it to be said', () => held(second) === 0);

    assert.equal(await answerTo(second, 'second'), 0);
  } finally {
    mock.restoreAll();
  }
});
