// Each limit that a client can meet: what the client sees, what is counted, and what the log says.
import { generate } from 'mqtt-packet';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import type { BrokerLimits } from '../../../broker/index.ts';
import { bytes, ms, seconds } from '../../../src/kit/units.ts';
import { MemorySessions } from '../../support/memory-sessions.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { WarningLog } from '../../support/warning-log.ts';
import { RawClient } from './raw-client.ts';
import { startLogged, TWIN_UPDATE, type RunningBroker } from './running-broker.ts';

interface Logged extends RunningBroker {
  readonly log: WarningLog;
}

async function startWith(limits: Partial<BrokerLimits>): Promise<Logged> {
  const log = new WarningLog();
  return { log, ...(await startLogged(log, { limits })) };
}

const connectPacket = (clientId: string, keepalive = 60) =>
  ({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId, clean: true, keepalive }) as const;

/** The return code of the CONNACK to a client that is then shut out. */
async function refusalOf(running: Logged, clientId: string, keepalive?: number): Promise<number | undefined> {
  const client = await RawClient.open(running.port);
  client.send(connectPacket(clientId, keepalive));
  const connack = await client.next('connack');
  await client.closed();
  return connack.cmd === 'connack' ? connack.returnCode : undefined;
}

/** What the one line in the log says. */
function onlyLine({ log }: Logged): Readonly<Record<string, unknown>> {
  assert.equal(log.warnings.length, 1, log.warnings.join('\n'));
  const [line = ''] = log.warnings;
  return JSON.parse(line.slice(line.indexOf('{'))) as Readonly<Record<string, unknown>>;
}

const refused = ({ broker }: Logged) => broker.statistics.refused;
const ended = ({ broker }: Logged) => broker.statistics.ended;
const ADDRESS = '127.0.0.1';

void test('when as many clients are connected as may be, the next is told so, and a place that is left is given again', async () => {
  await using running = await startWith({ connections: 1 });
  const first = await RawClient.connected(running.port, 'first');

  assert.equal(await refusalOf(running, 'second'), 3);

  const option = '--mqtt-connections';
  assert.deepEqual(onlyLine(running), { client: 'second', address: ADDRESS, reason: 'connections', limit: 1, option });
  assert.equal(refused(running).connections, 1);
  assert.equal(running.broker.health().state, 'degraded');
  first.end();
  await waitUntil('the place to be free', () => running.broker.connectedClients === 0);
  assert.equal(running.broker.health().state, 'ok');
  const third = await RawClient.connected(running.port, 'third');
  third.end();
});

void test('a client that comes back takes its own place, though no other is free', async () => {
  await using running = await startWith({ connections: 1 });
  const first = await RawClient.connected(running.port, 'same');

  const second = await RawClient.connected(running.port, 'same');

  await first.closed();
  await second.ping();
  second.end();
  await waitUntil('it to be gone', () => running.broker.connectedClients === 0);
  assert.deepEqual([ended(running).replaced, ended(running).lost], [1, 1]);
  assert.equal(refused(running).connections, 0);
});

void test('an address has no more clients than it may, but for loopback, which all programs of this machine share', async () => {
  await using running = await startWith({ addressConnections: 1 });

  const both = await Promise.all(['first', 'second'].map((id) => RawClient.connected(running.port, id)));

  assert.equal(running.broker.connectedClients, 2);
  for (const client of both) client.end();
});

void test('a client that says nothing is shut out, before CONNECT and within the handshake of a WebSocket', async () => {
  await using running = await startWith({ connectTimeout: ms(50) });
  const silent = await RawClient.open(running.port);
  const half = await RawClient.open(running.port);
  half.socket.write(generate(connectPacket('half')).subarray(0, 9));
  const web = connect({ host: '127.0.0.1', port: Number(new URL(running.wsUrl).port) });
  const closed = once(web, 'close');
  web.write('GET / HTTP/1.1\r\nUpgrade: webso');

  await Promise.all([silent.closed(), half.closed(), closed]);

  assert.equal(refused(running)['connect-timeout'], 3);
  assert.equal(running.log.warnings.length, 3);
  assert.match(running.log.warnings[0] ?? '', /no CONNECT came in time.*--mqtt-connect-timeout/);
});

void test('of too many connections that say nothing the oldest gives way, and who says CONNECT is let in', async () => {
  await using running = await startWith({ unannounced: 3 });
  const silent = [];
  for (let n = 0; n < 3; n += 1) silent.push(await RawClient.open(running.port));

  const talker = await RawClient.connected(running.port, 'talker');

  await silent[0]?.closed();
  assert.deepEqual(
    silent.map(({ isClosed }) => isClosed),
    [true, false, false],
  );
  assert.equal(refused(running).unannounced, 1);
  for (const client of [...silent, talker]) client.end();
});

void test('a client id that is too long is refused as such', async () => {
  await using running = await startWith({ clientIdBytes: bytes(8) });
  const fine = await RawClient.connected(running.port, '12345678');

  assert.equal(await refusalOf(running, '1234567ä'), 2);

  assert.equal(refused(running)['client-id-bytes'], 1);
  assert.equal(onlyLine(running)['limit'], 8);
  assert.equal(await refusalOf(running, 'x'.repeat(60_000)), 2);
  assert.ok((running.log.warnings[1] ?? '').length < 500);
  fine.end();
});

void test('where keepalive is limited, a longer one and none at all are refused; otherwise a client may do without', async () => {
  await using running = await startWith({ keepalive: seconds(30) });
  const fine = await RawClient.open(running.port);
  fine.send(connectPacket('fine', 30));
  await fine.next('connack');

  assert.equal(await refusalOf(running, 'longer', 31), 2);
  assert.equal(await refusalOf(running, 'none', 0), 2);

  assert.equal(refused(running).keepalive, 2);
  assert.match(running.log.warnings[1] ?? '', /"client":"none".*"limit":30000,"option":"--mqtt-keepalive"/);
  fine.end();
  await using generous = await startWith({});
  const carefree = await RawClient.open(generous.port);
  carefree.send(connectPacket('carefree', 0));
  await carefree.next('connack');
  carefree.end();
});

void test('a packet over the limit is refused at its first bytes', async () => {
  await using running = await startWith({ packet: bytes(1000) });
  const client = await RawClient.connected(running.port, 'big');
  client.publish('a', 'x'.repeat(990), { qos: 1, messageId: 1 });
  await client.next('puback');

  client.socket.write(Buffer.of(0x30, 0xff, 0xff, 0x7f, 0, 1));

  await client.closed();
  await waitUntil('it to be counted', () => ended(running).packet === 1);
  const option = '--mqtt-packet';
  assert.deepEqual(onlyLine(running), { client: 'big', address: ADDRESS, reason: 'packet', limit: 1000, option });
});

void test('a QoS 2 publication past the window is kept nowhere, and a session comes back to the window that it left', async () => {
  const log = new WarningLog();
  await using started = await startLogged(log, { limits: { inflight: 2 } }, { storage: new MemorySessions() });
  const running = { log, ...started };
  const greedy = await RawClient.connected(running.port, 'greedy', false);
  for (const messageId of [1, 2]) greedy.publish('a', 'x', { qos: 2, messageId });
  await waitUntil('two PUBRECs', () => greedy.received.filter(({ cmd }) => cmd === 'pubrec').length === 2);
  greedy.publish('a', 'x', { qos: 2, messageId: 2, dup: true });
  await waitUntil('a third', () => greedy.received.filter(({ cmd }) => cmd === 'pubrec').length === 3);
  assert.equal(running.broker.statistics.openPublications, 2);

  greedy.publish(TWIN_UPDATE, '{}', { qos: 2, messageId: 3 });
  await greedy.closed();

  await waitUntil('it to be counted', () => ended(running).inflight === 1);
  const option = '--mqtt-inflight';
  assert.deepEqual(onlyLine(running), { client: 'greedy', address: ADDRESS, reason: 'inflight', limit: 2, option });
  const again = await RawClient.connected(running.port, 'greedy', false);
  again.publish(TWIN_UPDATE, '{}', { qos: 2, messageId: 3 });
  await again.closed();
  assert.equal(running.gate.asked.length, 0);
  const third = await RawClient.connected(running.port, 'greedy', false);
  third.send({ cmd: 'pubrel', messageId: 1 });
  await third.next('pubcomp');
  third.publish(TWIN_UPDATE, '{}', { qos: 2, messageId: 3 });
  await third.next('pubrec');
  assert.equal(running.gate.asked.length, 1);
  third.end();
});

void test('a packet that is begun and not gone on with ends the connection, also of a client without keepalive', async () => {
  await using running = await startWith({ stalledAfter: ms(100) });
  const client = await RawClient.open(running.port);
  client.send(connectPacket('half', 0));
  await client.next('connack');
  const idle = await RawClient.open(running.port);
  idle.send(connectPacket('idle', 0));
  await idle.next('connack');

  client.socket.write(Buffer.of(0x30, 100, 0, 1));

  await client.closed();
  await waitUntil('it to be counted', () => ended(running).stalled === 1);
  await idle.ping();
  const option = '--mqtt-stalled-after';
  assert.deepEqual(onlyLine(running), { client: 'half', address: ADDRESS, reason: 'stalled', limit: 100, option });
  idle.end();
});

void test('a flood of refusals is no flood of log lines', async () => {
  await using running = await startWith({ connections: 0 });

  for (let n = 0; n < 20; n += 1) await refusalOf(running, `client-${n}`);

  assert.equal(refused(running).connections, 20);
  assert.equal(running.log.warnings.length, 5);
});

void test('why connections end is counted', async () => {
  await using running = await startWith({});
  const polite = await RawClient.connected(running.port, 'polite');
  polite.send({ cmd: 'disconnect' });
  const rude = await RawClient.connected(running.port, 'rude');
  rude.end();
  const odd = await RawClient.connected(running.port, 'odd');
  odd.socket.write(Buffer.of(0xf0, 0));
  const liar = await RawClient.connected(running.port, 'liar');
  liar.publish('$SYS/lie', 'x', { qos: 0 });
  const silent = await RawClient.open(running.port);
  silent.send(connectPacket('silent', 1));
  running.gate.answer = () => Promise.resolve({ kind: 'unavailable' });
  const unlucky = await RawClient.connected(running.port, 'unlucky');
  unlucky.publish(TWIN_UPDATE, '{}', { qos: 1, messageId: 1 });
  const stranger = await RawClient.open(running.port);
  stranger.socket.write('GET / HTTP/1.1\r\n\r\n');
  await waitUntil('everybody to be gone', () => running.broker.connectedClients === 0 && stranger.isClosed);
  await RawClient.connected(running.port, 'last');
  await running.stop();

  const { disconnected, lost, protocol, forbidden, silent: fellSilent, unavailable, stopped } = ended(running);
  assert.deepEqual(
    { disconnected, lost, protocol, forbidden, fellSilent, unavailable, stopped },
    { disconnected: 1, lost: 1, protocol: 1, forbidden: 1, fellSilent: 1, unavailable: 1, stopped: 1 },
  );
  assert.equal(refused(running).protocol, 1);
  assert.equal(running.log.warnings.length, 1);
  assert.match(running.log.warnings.join(), /may not publish to this topic.*"client":"liar"/);
});

for (const cmd of ['subscribe', 'unsubscribe'] as const)
  void test(`more filters than may be in one ${cmd} end the connection, and as many as a client may have do not`, async () => {
    await using running = await startWith({ filters: 2, clientSubscriptions: 3 });
    const client = await RawClient.connected(running.port, 'client');
    const list = (count: number): void => {
      const filters = Array.from({ length: count }, (_, n) => `filter/${n}`);
      if (cmd === 'unsubscribe') client.send({ cmd, messageId: 5, unsubscriptions: filters });
      else client.send({ cmd, messageId: 5, subscriptions: filters.map((topic) => ({ topic, qos: 0 })) });
    };

    list(3);
    await client.next(cmd === 'subscribe' ? 'suback' : 'unsuback');
    list(4);
    await client.closed();

    await waitUntil('it to be counted', () => ended(running).filters === 1);
    assert.deepEqual(onlyLine(running), { client: 'client', address: ADDRESS, reason: 'filters', limit: 3 });
  });
