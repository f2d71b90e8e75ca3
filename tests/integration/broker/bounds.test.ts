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

void test('a session that is away keeps its newest messages up to its limit, and has room again when they are read', async () => {
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
  assert.deepEqual(payloadsAt(back), ['2', '3', '4', '5']);
  back.end();
});

void test('one session keeps no more bytes than it may', async () => {
  await using running = await startBroker({ limits: { sessionBytes: bytes(5000) } });
  await leaveSession(running, 'keeper');

  for (let n = 0; n < 10; n += 1) await running.broker.publish('news', String(n).repeat(1000));
  const back = await RawClient.connected(running.port, 'keeper', false);
  await back.ping();

  await waitUntil('the kept messages', () => payloadsAt(back).length > 0);
  assert.deepEqual(
    payloadsAt(back).map((payload) => payload[0]),
    ['7', '8', '9'],
  );
  back.end();
});

void test('a session that is long away makes room for one that is not, and cuts nobody', async () => {
  const limits = { totalSessionBytes: bytes(12_000), sessionBytes: bytes(10_000) };
  await using running = await startBroker({ limits });
  await leaveSession(running, 'away');
  for (let n = 0; n < 8; n += 1) await running.broker.publish('news', 'x'.repeat(1000));
  const here = await RawClient.connected(running.port, 'here', false);
  await here.subscribe('other', 1);

  for (let n = 0; n < 4; n += 1) await running.broker.publish('other', String(n).repeat(1000));

  await waitUntil('all messages', () => payloadsAt(here).length === 4);
  await here.ping();
  const back = await RawClient.connected(running.port, 'away', false);
  await back.ping();
  assert.deepEqual([payloadsAt(here).length, payloadsAt(back).length, here.isClosed], [4, 5, false]);
  for (const client of [here, back]) client.end();
});

for (const qos of [1, 2] as const) {
  void test(`a subscriber that acknowledges nothing at QoS ${qos} is sent everything, keeps what it may, and is not cut`, async () => {
    await using running = await startBroker({ limits: { sessionMessages: 3 } });
    const silent = await RawClient.connected(running.port, 'silent', false);
    await silent.subscribe('news', qos);
    const publisher = await RawClient.connected(running.port, 'publisher');
    const sent = qos === 1 ? ['1', '2', '3', '4', '5'] : ['1', '2', '3'];
    for (const [at, message] of ['1', '2', '3', '4', '5'].entries()) {
      publisher.publish('news', message, { qos, messageId: at + 1 });
      await waitUntil('the message', () => payloadsAt(silent).length >= Math.min(at + 1, sent.length));
    }
    await publisher.ping();
    await silent.ping();
    assert.deepEqual([payloadsAt(silent), silent.isClosed], [sent, false]);

    // What was dropped is acknowledged too late.
    for (const { cmd, messageId = 0 } of [...silent.received])
      if (cmd === 'publish') silent.send({ cmd: qos === 1 ? 'puback' : 'pubrec', messageId });
    await silent.ping();

    assert.equal(silent.isClosed, false);
    for (const client of [silent, publisher]) client.end();
  });
}

void test('a PUBREC for a message that the session does not have is answered', async () => {
  await using running = await startBroker();
  const client = await RawClient.connected(running.port, 'client', false);

  client.send({ cmd: 'pubrec', messageId: 7 });

  assert.equal((await client.next('pubrel')).messageId, 7);
  client.end();
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
