// Clients that stop reading beside 1,000 messages a second: they are cut after a time, what waits for them is bounded, and the others
// get everything. How long the others wait is printed, with and without them, and never asserted; bench/broker/frozen.ts measures it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setInterval as every } from 'node:timers/promises';
import { test } from 'node:test';
import { generate } from 'mqtt-packet';
import WebSocket from 'ws';
import { mebibytes, ms } from '../../../src/kit/units.ts';
import { MemorySessions } from '../../support/memory-sessions.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { WarningLog } from '../../support/warning-log.ts';
import { RawClient } from './raw-client.ts';
import { startLogged, type RunningBroker } from './running-broker.ts';

const TOPIC = 'load/1';
const PER_SECOND = 1000;
const TICK = 10;
const SESSION_MESSAGES = 200;
/** Large, so that what the kernel takes for a socket that nobody reads is soon full. */
const SIZE = 16 * 1024;

/** Publishes for so long, a third of it at each QoS, and gives the 99th percentile of the ways to a subscriber that reads. */
async function load(running: RunningBroker, lastsMs: number, look: () => void): Promise<number> {
  const publisher = await RawClient.connected(running.port, 'publisher');
  const lively = await RawClient.connected(running.port, 'lively');
  const delays: number[] = [];
  await lively.subscribe('load/#', 0);
  lively.received.push = (...packets) => {
    for (const packet of packets)
      if (packet.cmd === 'publish') delays.push(performance.now() - Number(packet.payload.toString().slice(0, 16)));
    return 0;
  };
  const count = (PER_SECOND * lastsMs) / 1000;
  let sent = 0;
  for await (const more of every(TICK, (PER_SECOND * TICK) / 1000)) {
    for (let n = 0; n < more && sent < count; n += 1, sent += 1) publish(publisher, sent);
    look();
    if (sent >= count) break;
  }
  await waitUntil('every message at the one that reads', () => delays.length === count);
  for (const client of [publisher, lively]) client.end();
  return delays.sort((a, b) => a - b)[Math.floor(count * 0.99)] ?? Number.NaN;
}

function publish(publisher: RawClient, n: number): void {
  const payload = performance.now().toFixed(3).padEnd(16).padEnd(SIZE, 'x');
  const qos = [0, 1, 2][n % 3] as 0 | 1 | 2;
  const messageId = (n % 30_000) + 1;
  publisher.publish(TOPIC, payload, qos === 0 ? { qos } : { qos, messageId });
  if (qos === 2) publisher.send({ cmd: 'pubrel', messageId });
}

async function freezeTcp(running: RunningBroker, clientId: string, qos: 0 | 1 | 2): Promise<RawClient> {
  const client = await RawClient.connected(running.port, clientId, qos === 0);
  await client.subscribe('#', qos);
  client.socket.pause();
  return client;
}

async function freezeWebSocket(running: RunningBroker): Promise<WebSocket> {
  const socket = new WebSocket(running.wsUrl, 'mqtt');
  await once(socket, 'open');
  const clientId = 'frozen-web';
  socket.send(
    generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId, clean: true, keepalive: 0 }),
  );
  await once(socket, 'message');
  socket.send(generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '#', qos: 1 }] }));
  await once(socket, 'message');
  socket.on('error', () => undefined);
  socket.pause();
  return socket;
}

void test('frozen subscribers at every QoS, and by WebSocket, are cut after a time, and nobody else misses a message', async (t) => {
  const log = new WarningLog();
  const limits = { stalledAfter: ms(400), backlog: mebibytes(64), sessionMessages: SESSION_MESSAGES };
  await using running = await startLogged(log, { limits }, { storage: new MemorySessions() });
  const { broker } = running;
  const without = await load(running, 1500, () => undefined);
  const web = await freezeWebSocket(running);
  const frozen = await Promise.all(([0, 1, 2] as const).map((qos) => freezeTcp(running, `frozen-${qos}`, qos)));
  let mostWaiting = 0;
  let mostQueued = 0;

  const beside = await load(running, 3000, () => {
    mostWaiting = Math.max(mostWaiting, broker.statistics.backlogBytes);
    mostQueued = Math.max(mostQueued, broker.statistics.sessions?.queuedMessages ?? 0);
  });

  t.diagnostic(`p99 of 1,000 messages/s: ${without.toFixed(1)} ms without, ${beside.toFixed(1)} ms beside four frozen`);
  await waitUntil('all frozen ones to be cut', () => broker.statistics.ended.stalled === 4);
  assert.equal(log.warnings.filter((line) => line.includes('"reason":"stalled"')).length, 4);
  assert.ok(mostWaiting > 0 && mostWaiting < 4 * limits.backlog, `${mostWaiting} bytes waited`);
  assert.ok(mostQueued > 0 && mostQueued <= 2 * SESSION_MESSAGES, `${mostQueued} messages were queued`);
  await waitUntil('nothing to wait for anybody', () => broker.statistics.backlogBytes === 0);
  for (const client of frozen) client.end();
  web.terminate();
});

void test('a subscriber that reads slowly, but reads, is not cut for it', async () => {
  const log = new WarningLog();
  await using running = await startLogged(log, { limits: { stalledAfter: ms(200), backlog: mebibytes(64) } });
  const slow = await RawClient.connected(running.port, 'slow');
  await slow.subscribe('flood', 0);
  slow.socket.pause();
  const payload = 'x'.repeat(100_000);
  const count = 200;

  for (let n = 0; n < count; n += 1) running.broker.publishSoon('flood', payload, { qos: 0 });
  await waitUntil('more than the kernel takes', () => running.broker.statistics.backlogBytes > 5_000_000);
  // A little every 50 ms: the whole takes several times as long as a client may stand still.
  for await (const some of every(50, 600_000)) {
    slow.socket.read(some);
    if (running.broker.statistics.backlogBytes === 0) break;
  }

  assert.equal(running.broker.connectedClients, 1);
  assert.deepEqual(log.warnings, []);
  slow.end();
});
