// How a server that is a child process says where it listens.
import type { AddressInfo, Server } from 'node:net';

/** Listens on a free port, tells the parent, and ends with it. */
export function announce(server: Server): void {
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
  process.on('disconnect', () => process.exit());
}
