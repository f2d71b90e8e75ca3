// What a client may do with frames, which MQTT does not see.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { connectAsync } from 'mqtt';
import WebSocket from 'ws';
import { bytes, mebibytes } from '../../../src/kit/units.ts';
import { connect, PINGREQ } from '../../support/mqtt-bytes.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { WarningLog } from '../../support/warning-log.ts';
import { startBroker, startLogged, type RunningBroker } from './running-broker.ts';

async function open(t: TestContext, { wsUrl }: RunningBroker): Promise<WebSocket> {
  const socket = new WebSocket(wsUrl, 'mqtt');
  t.after(() => socket.terminate());
  await once(socket, 'open');
  return socket;
}

void test('of many pings at once the last is answered, and the connection goes on', async (t) => {
  await using running = await startBroker();
  const socket = await open(t, running);
  const answers: string[] = [];
  socket.on('pong', (data) => answers.push(data.toString()));

  for (let n = 0; n < 1000; n += 1) socket.ping(String(n));
  await waitUntil('the last answer', () => answers.at(-1) === '999' || socket.readyState === WebSocket.CLOSED);
  assert.equal(answers.at(-1), '999');
  socket.send(connect());
  const [connack] = (await once(socket, 'message')) as [Buffer];

  assert.equal(connack[0], 0x20);
  assert.equal(answers[0], '0');
});

void test('the largest packet that may be sent may be sent in one frame, and others with it', async (t) => {
  await using running = await startBroker({ limits: { packet: mebibytes(4), sessionBytes: mebibytes(8) } });
  const client = await connectAsync(running.wsUrl);
  t.after(() => client.endAsync(true));

  const large = client.publishAsync('news', Buffer.alloc(4 * 1024 * 1024 - 100), { qos: 1 }).then(() => 'acknowledged');
  assert.equal(
    await Promise.race([large, new Promise((resolve) => client.once('close', () => resolve('closed')))]),
    'acknowledged',
  );

  const socket = await open(t, running);
  socket.send(Buffer.concat([connect(), ...Array.from({ length: 1000 }, () => PINGREQ)]));
  let answered = 0;
  socket.on('message', (data: Buffer) => (answered += data.length));
  await waitUntil('all answers', () => answered === 4 + 2 * 1000);
});

void test('a frame that is larger than any packet is refused at its header, with close code 1009 and the reason "packet"', async (t) => {
  const log = new WarningLog();
  await using running = await startLogged(log, { limits: { packet: bytes(1024) } });
  const socket = await open(t, running);
  socket.send(connect({ id: 'web' }));
  await once(socket, 'message');

  socket.send(Buffer.alloc(1024 * 1024 + 1025));
  const [code] = (await once(socket, 'close')) as [number];

  assert.equal(code, 1009);
  await waitUntil('it to be counted', () => running.broker.statistics.ended.packet === 1);
  assert.match(log.warnings.join('\n'), /a packet is too large: the limit is 1024.*--mqtt-packet/);
});
