// A road to a server that a test closes and opens.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { TestNats } from '../../support/nats-server.ts';

/** A road to the server that can be closed and opened again. */
export async function roadTo(
  nats: TestNats,
): Promise<{ readonly url: string; open(): Promise<void>; close(): Promise<void> } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  let port = 0;
  const open = async (): Promise<void> => {
    server = createServer((from) => {
      const to = connect(Number(new URL(nats.url).port), '127.0.0.1');
      for (const socket of [from, to]) sockets.add(socket.on('error', () => socket.destroy()));
      from.pipe(to).pipe(from);
    }).listen(port, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  };
  const close = async (): Promise<void> => {
    if (server?.listening !== true) return;
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  };
  await open();
  return { url: `nats://127.0.0.1:${port}`, open, close, [Symbol.asyncDispose]: close };
}
