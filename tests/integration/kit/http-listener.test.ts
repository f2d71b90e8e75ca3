// What peers that mean no good can hold open, and for how long: on plain HTTP and under TLS.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { Deadline } from '../../../src/kit/deadline.ts';
import { HttpListener, type HttpClosing, type HttpLimits } from '../../../src/kit/http-listener.ts';
import { seconds } from '../../../src/kit/units.ts';
import { ask, certificateFor, type TestCertificate } from '../../support/https.ts';
import { outsideAddress } from '../../support/outside-address.ts';
import { waitUntil } from '../../support/wait-until.ts';

const QUICK = { greeting: seconds(2), headers: seconds(2), request: seconds(3), idle: seconds(60) };
const BODY_BEGUN = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n';

class Door implements AsyncDisposable {
  readonly closings: HttpClosing[] = [];
  readonly sockets: Socket[] = [];
  readonly pair: TestCertificate;
  certificatesAsked = 0;
  readonly #listener: HttpListener;

  private constructor(pair: TestCertificate, limits: Partial<HttpLimits>, hasCertificate: boolean) {
    this.pair = pair;
    const certificate = (): Promise<TestCertificate> => {
      this.certificatesAsked += 1;
      return this.certificatesAsked === 1 && !hasCertificate
        ? Promise.reject(new Error('the authority is away'))
        : Promise.resolve(pair);
    };
    this.#listener = new HttpListener(
      { host: '0.0.0.0', port: 0 },
      {
        ...{ limits, certificate },
        answer: (request, response) => request.resume().once('end', () => response.end('heard\n')),
        closed: (why) => this.closings.push(why),
      },
    );
  }

  static async open(limits: Partial<HttpLimits> = {}, hasCertificate = true): Promise<Door> {
    const door = new Door(await certificateFor('127.0.0.1'), limits, hasCertificate);
    await door.#listener.start();
    return door;
  }

  get port(): number {
    return this.#listener.port;
  }

  /** A connection that sends a piece of the text now and then, for as long as it can. */
  async trickle(text: string, { tls = false, every = 50 } = {}): Promise<Socket> {
    const { port } = this;
    const socket = tls ? connectTls({ host: '127.0.0.1', port, ca: this.pair.ca }) : connect(port, '127.0.0.1');
    this.sockets.push(socket);
    socket.on('error', () => undefined);
    await once(socket, tls ? 'secureConnect' : 'connect');
    let sent = 0;
    const timer = setInterval(() => socket.write(text[sent++ % text.length] ?? ''), every);
    socket.once('close', () => clearInterval(timer));
    socket.resume();
    return socket;
  }

  async isServing(): Promise<boolean> {
    const { status } = await ask(`https://127.0.0.1:${this.port}`, '/', { ca: this.pair.ca });
    return status === 200;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await this.#listener.stop(Deadline.after(seconds(2)));
  }
}

const closed = (socket: Socket): Promise<unknown> => waitUntil('the connection to be closed', () => socket.closed);

void test('a connection that says nothing is closed, and others are served meanwhile', async () => {
  await using door = await Door.open(QUICK);
  const silent = connect(door.port, '127.0.0.1');
  door.sockets.push(silent.on('error', () => undefined).resume());
  await once(silent, 'connect');

  assert.ok(await door.isServing());

  await closed(silent);
  assert.deepEqual(door.closings, ['greeting']);
});

void test('a TLS handshake that trickles in is cut off, however busy it looks', async () => {
  await using door = await Door.open(QUICK);

  await closed(await door.trickle('\x16\x03\x01\x02'));

  assert.ok(door.closings.includes('greeting'));
  assert.ok(await door.isServing());
});

for (const tls of [false, true])
  void test(`headers that trickle in are cut off${tls ? ' under TLS' : ''}`, async () => {
    await using door = await Door.open(QUICK);

    await closed(await door.trickle('GET / HTTP/1.1\r\nHost: localhost\r\nX: '.padEnd(4096, 'x'), { tls }));

    assert.deepEqual(door.closings, ['malformed']);
  });

for (const tls of [false, true])
  void test(`a body that trickles in is cut off${tls ? ' under TLS' : ''}`, async () => {
    await using door = await Door.open(QUICK);
    const socket = await door.trickle('x', { tls, every: 200 });

    socket.write(BODY_BEGUN);

    await closed(socket);
  });

void test('a TLS connection that asks nothing after its handshake is cut off', async () => {
  await using door = await Door.open(QUICK);
  const socket = connectTls({ host: '127.0.0.1', port: door.port, ca: door.pair.ca });
  door.sockets.push(socket.on('error', () => undefined).resume());
  await once(socket, 'secureConnect');

  await closed(socket);
});

void test('one machine cannot take every connection: this one, and in the end others, still get in', async () => {
  await using door = await Door.open({ connections: 20, connectionsOfOne: 4 });
  const outside = outsideAddress();
  const taken = Array.from({ length: 10 }, () => connect(door.port, outside));
  for (const socket of taken) door.sockets.push(socket.on('error', () => undefined).resume());

  await waitUntil('six to be refused', () => taken.filter((socket) => socket.closed).length === 6);

  assert.deepEqual(new Set(door.closings), new Set(['connections']));
  assert.ok(await door.isServing());
});

void test('more headers than anybody needs are refused', async () => {
  await using door = await Door.open();
  const large = ask(`http://127.0.0.1:${door.port}`, '/', { headers: { x: 'x'.repeat(20_000) } });

  await assert.rejects(large);
  assert.deepEqual(door.closings, ['malformed']);
});

void test('old TLS is refused, and noise that begins like TLS ends nothing', async () => {
  await using door = await Door.open();
  const { port, pair } = door;
  const old = connectTls({ host: '127.0.0.1', port, ca: pair.ca, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' });
  door.sockets.push(old);
  await assert.rejects(once(old, 'secureConnect'));
  const noise = connect(port, '127.0.0.1').on('error', () => undefined);
  door.sockets.push(noise.resume());
  noise.write(Buffer.concat([Buffer.of(0x16), Buffer.alloc(300, 7)]));

  await closed(noise);
  assert.ok(await door.isServing());
});

void test('a certificate that could not be had is asked for again by the next connection, then kept', async () => {
  await using door = await Door.open({}, false);

  await assert.rejects(door.isServing());
  assert.ok(await door.isServing());
  assert.ok(await door.isServing());

  assert.deepEqual([door.certificatesAsked, door.closings], [2, ['handshake']]);
});

void test('many requests on one connection are answered each, also those that came in one packet', async () => {
  await using door = await Door.open();
  const socket = connect(door.port, '127.0.0.1');
  door.sockets.push(socket);
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));

  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(3));
  await waitUntil('three answers', () => text.split('heard').length === 4);
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');

  await waitUntil('a fourth', () => text.split('heard').length === 5);
});
