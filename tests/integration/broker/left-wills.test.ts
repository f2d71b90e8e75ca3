// Wills that a broker left when it was killed, or that its gate refused: the next one says them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Admission } from '../../../broker/index.ts';
import { MemorySessions } from '../../support/memory-sessions.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { RawClient } from './raw-client.ts';
import { startBroker, TWIN_UPDATE } from './running-broker.ts';

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
