// The proxy between an edge node and nats-server, with a line of text at either end in place of both.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { LinkProxy } from '../../../src/cli/chaos/link-proxy.ts';
import { waitUntil } from '../../support/wait-until.ts';

interface End {
  readonly socket: Socket;
  heard: string;
  isClosed: boolean;
}

interface World {
  readonly proxy: LinkProxy;
  /** The server's ends, in the order in which they came. */
  readonly servers: readonly End[];
  open(): Promise<End>;
}

function endOf(socket: Socket): End {
  const end: End = { socket, heard: '', isClosed: false };
  socket.on('data', (chunk: Buffer) => (end.heard += chunk.toString()));
  socket.on('error', () => undefined);
  socket.on('close', () => (end.isClosed = true));
  return end;
}

async function worldOf(
  t: TestContext,
  drop?: { readonly share: number; readonly random: () => number },
): Promise<World> {
  const servers: End[] = [];
  const server = createServer((socket) => servers.push(endOf(socket))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const proxy = new LinkProxy(
    { target: { host: '127.0.0.1', port }, receipts: '_INBOX_edge-1.up.', dropShare: drop?.share ?? 0 },
    { random: drop?.random ?? Math.random },
  );
  await proxy.start();
  const opened: End[] = [];
  t.after(() => {
    proxy.stop();
    server.close();
    for (const { socket } of [...opened, ...servers]) socket.destroy();
  });
  const open = async (): Promise<End> => {
    const end = endOf(connect(proxy.port, '127.0.0.1'));
    opened.push(end);
    await once(end.socket, 'connect');
    return end;
  };
  return { proxy, servers, open };
}

async function linked(world: World): Promise<{ readonly edge: End; readonly server: End }> {
  const before = world.servers.length;
  const edge = await world.open();
  edge.socket.write('hello ');
  const server = await waitUntil(
    'the server to hear',
    () => world.servers[before]?.heard === 'hello ' && world.servers[before],
  );
  server.socket.write('INFO ');
  await waitUntil('the edge to hear', () => edge.heard === 'INFO ');
  return { edge, server };
}

void test('a closed link ends what there is and what comes, until it is mended', async (t) => {
  const world = await worldOf(t);
  const { edge, server } = await linked(world);

  world.proxy.cut('closed');
  await waitUntil('both ends to be closed', () => edge.isClosed && server.isClosed);
  const later = endOf(connect(world.proxy.port, '127.0.0.1'));
  await waitUntil('a later one to be closed', () => later.isClosed);

  world.proxy.mend();
  await linked(world);
});

void test('on a silent link nothing arrives and nothing closes, and its connections do not outlive it', async (t) => {
  const world = await worldOf(t);
  const { edge, server } = await linked(world);

  world.proxy.cut('silent');
  edge.socket.write('lost');
  server.socket.write('lost');
  const later = await world.open();
  later.socket.write('anybody?');
  assert.deepEqual([edge.isClosed, server.isClosed, later.isClosed], [false, false, false]);

  world.proxy.mend();
  await waitUntil('all to be closed', () => edge.isClosed && server.isClosed && later.isClosed);
  assert.deepEqual([edge.heard, server.heard, later.heard, world.servers.length], ['INFO ', 'hello ', '', 1]);
  await linked(world);
});

void test('what was sent while a link was late arrives when it is mended, also from a connection that ended', async (t) => {
  const world = await worldOf(t);
  const staying = await linked(world);
  const ending = await linked(world);

  world.proxy.cut('late');
  staying.edge.socket.write('late');
  ending.edge.socket.end('last words');
  await waitUntil('the connection to have ended', () => ending.edge.isClosed || ending.edge.socket.writableFinished);
  assert.deepEqual([staying.server.heard, ending.server.heard], ['hello ', 'hello ']);

  world.proxy.mend();
  await waitUntil('the late ones', () => staying.server.heard === 'hello late');
  await waitUntil('the last words', () => ending.server.heard === 'hello last words' && ending.server.isClosed);
  staying.server.socket.write('and back');
  await waitUntil('the answer', () => staying.edge.heard === 'INFO and back');
});

void test('receipts are dropped as chance says, and nothing else is', async (t) => {
  const chances = [0.9, 0.01, 0.9];
  const world = await worldOf(t, { share: 0.05, random: () => chances.shift() ?? 1 });
  const edge = await world.open();
  const server = await waitUntil('the server', () => world.servers[0]);
  const receipt = (token: string): string => `MSG _INBOX_edge-1.up.${token} 2 2\r\n{}\r\n`;
  const others = `MSG _INBOX_edge-1.other 1 2\r\n{}\r\nPING\r\n`;

  server.socket.write(`INFO {}\r\n${receipt('a')}${receipt('b')}${others}${receipt('c')}`);

  const expected = `INFO {}\r\n${receipt('a')}${others}${receipt('c')}`;
  await waitUntil('the rest', () => edge.heard.length >= expected.length);
  assert.equal(edge.heard, expected);
  assert.equal(world.proxy.dropped, 1);
});
