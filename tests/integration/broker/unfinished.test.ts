// Packets that are begun and go on, byte by byte: what is held of them has an end, whoever holds on longest.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { bytes } from '../../../src/kit/units.ts';
import { connect } from '../../support/mqtt-bytes.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { WarningLog } from '../../support/warning-log.ts';
import { RawClient } from './raw-client.ts';
import { startLogged, type RunningBroker } from './running-broker.ts';

const TRICKLERS = 100;
const limits = { packet: bytes(16_384), unfinishedBytes: bytes(128 * 1024) };
/** The beginning of a PUBLISH of 16,000 bytes to the topic "a". */
const BEGINNING = Buffer.of(0x30, 0x80, 0x7d, 0, 1, 0x61);
/** The same in a masked frame of a WebSocket, as far as it goes; the mask is 0. */
const FRAME = Buffer.concat([Buffer.of(0x82, 0xfe, 0x3e, 0x83, 0, 0, 0, 0), BEGINNING]);

async function start(): Promise<RunningBroker & { readonly log: WarningLog }> {
  const log = new WarningLog();
  return { log, ...(await startLogged(log, { limits })) };
}

/** Says hello on a WebSocket, and is then its bare socket. */
async function openWeb(t: TestContext, { wsUrl }: RunningBroker, id: string): Promise<Socket> {
  const socket = connectSocket({ host: '127.0.0.1', port: Number(new URL(wsUrl).port), noDelay: true });
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  const hello = ['GET / HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
  const more = ['Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', 'Sec-WebSocket-Protocol: mqtt', '', ''];
  socket.write([...hello, ...more].join('\r\n'));
  await once(socket, 'data');
  const packet = connect({ id });
  socket.write(Buffer.concat([Buffer.of(0x82, 0x80 | packet.length, 0, 0, 0, 0), packet]));
  await once(socket, 'data');
  socket.resume();
  return socket;
}

interface Trickler {
  readonly socket: Socket;
}

/** One byte of each after the other, until enough of them are cut; the most that was held. */
async function trickle(running: RunningBroker, tricklers: readonly Trickler[], healthy: RawClient): Promise<number> {
  const { broker } = running;
  let most = 0;
  for (let round = 0; broker.statistics.ended.unfinished < tricklers.length / 2; round += 1) {
    assert.ok(round < 1000, 'nobody was cut');
    for (const { socket } of tricklers) if (!socket.destroyed) socket.write('x');
    // Answered when all that was sent before was read.
    await healthy.ping();
    most = Math.max(most, broker.statistics.unfinishedBytes);
  }
  return most;
}

const unfinishedAre = ({ broker }: RunningBroker, bound: 'none' | 'some'): Promise<unknown> =>
  waitUntil(`${bound} held`, () => broker.statistics.unfinishedBytes > 0 === (bound === 'some'));

void test('a hundred clients that send large packets byte by byte hold no more than they may, and others never notice', async (t) => {
  await using running = await start();
  const healthy = await RawClient.connected(running.port, 'healthy');
  t.after(() => healthy.end());
  await healthy.subscribe('news');
  const tricklers: RawClient[] = [];
  for (let n = 0; n < TRICKLERS; n += 1) {
    const trickler = await RawClient.connected(running.port, `trickler-${n}`);
    t.after(() => trickler.end());
    trickler.socket.write(BEGINNING);
    tricklers.push(trickler);
  }
  await unfinishedAre(running, 'some');

  const most = await trickle(running, tricklers, healthy);
  healthy.publish('news', 'x'.repeat(10_000), { qos: 1, messageId: 1 });
  await healthy.next('puback');
  await healthy.next('publish');

  assert.ok(most > 0 && most <= limits.unfinishedBytes, `${most} bytes were held`);
  assert.equal(healthy.isClosed, false);
  const [line = ''] = running.log.warnings;
  assert.match(line, /"client":"trickler-0",.*"reason":"unfinished","limit":131072/);
  for (const { socket } of tricklers) socket.destroy();
  await unfinishedAre(running, 'none');
});

void test('a frame of a WebSocket that comes byte by byte counts as well', async (t) => {
  await using running = await start();
  const healthy = await RawClient.connected(running.port, 'healthy');
  t.after(() => healthy.end());
  const tricklers: Trickler[] = [];
  for (let n = 0; n < 4; n += 1) {
    const socket = await openWeb(t, running, `web-${n}`);
    socket.write(FRAME);
    tricklers.push({ socket });
  }

  const most = await trickle(running, tricklers, healthy);

  assert.ok(most > 0 && most <= limits.unfinishedBytes, `${most} bytes were held`);
  for (const { socket } of tricklers) socket.destroy();
  await unfinishedAre(running, 'none');
});

void test('a packet that ends is held no more, however slowly it came and whatever came with its end', async (t) => {
  await using running = await start();
  const client = await RawClient.connected(running.port, 'slow');
  t.after(() => client.end());
  const packet = Buffer.concat([Buffer.of(0x32, 0x69, 0, 1, 0x61, 0, 1), Buffer.alloc(100)]);

  for (let n = 0; n < 3; n += 1) {
    for (const byte of packet.subarray(0, 50)) {
      client.socket.write(Buffer.of(byte));
      await new Promise(setImmediate);
    }
    await unfinishedAre(running, 'some');
    client.socket.write(packet.subarray(50));
    await unfinishedAre(running, 'none');
  }

  await client.ping();
  assert.equal(client.received.filter(({ cmd }) => cmd === 'puback').length, 3);
});
