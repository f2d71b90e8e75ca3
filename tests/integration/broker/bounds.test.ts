// What the broker keeps in memory for others has an end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes } from '../../../src/kit/units.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { RawClient } from './raw-client.ts';
import { startBroker, type RunningBroker } from './running-broker.ts';

const payloadsAt = (client: RawClient): string[] =>
  client.received.flatMap((packet) => (packet.cmd === 'publish' ? [packet.payload.toString()] : []));

async function leaveSession(running: RunningBroker, clientId: string): Promise<void> {
  const client = await RawClient.connected(running.port, clientId, false);
  await client.subscribe('news', 1);
  client.end();
  await waitUntil('the client to be gone', () => running.broker.connectedClients === 0);
}

void test('a session that is away keeps its oldest messages up to its limit, and has room again when they are read', async () => {
  await using running = await startBroker({ limits: { sessionMessages: 3 } });
  await leaveSession(running, 'keeper');

  for (const message of ['1', '2', '3', '4']) await running.broker.publish('news', message);
  const back = await RawClient.connected(running.port, 'keeper', false);
  await waitUntil('the kept messages', () => payloadsAt(back).length === 3);
  for (const packet of [...back.received])
    if (packet.cmd === 'publish') back.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
  await back.ping();
  await running.broker.publish('news', '5');

  await waitUntil('the fresh message', () => payloadsAt(back).length === 4);
  assert.deepEqual(payloadsAt(back), ['1', '2', '3', '5']);
  back.end();
});

void test('all sessions together keep no more bytes than they may', async () => {
  await using running = await startBroker({ limits: { sessionBytes: bytes(5000) } });
  await leaveSession(running, 'keeper');

  for (let n = 0; n < 10; n += 1) await running.broker.publish('news', 'x'.repeat(1000));
  const back = await RawClient.connected(running.port, 'keeper', false);
  await back.ping();

  await waitUntil('the kept messages', () => payloadsAt(back).length > 0);
  assert.equal(payloadsAt(back).length, 3);
  back.end();
});

void test('no more topics are retained than there is room for, the broker’s own excepted', async () => {
  await using running = await startBroker({ limits: { retainedTopics: 1 } });
  const retain = true;
  await running.broker.publish('one', 'kept', { retain });
  await running.broker.publish('two', 'not kept', { retain });
  await running.broker.publish('$skerry/mapper/p/default/d', 'own', { retain });

  const reader = await RawClient.connected(running.port, 'reader');
  await reader.subscribe('#');
  await reader.subscribe('$skerry/#');

  await waitUntil('the retained messages', () => payloadsAt(reader).length === 2);
  assert.deepEqual(payloadsAt(reader).sort(), ['kept', 'own']);
  reader.end();
});
