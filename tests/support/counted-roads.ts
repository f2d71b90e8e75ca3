// The roads by which a hub reaches NATS and Kubernetes, and on which every chunk of bytes, either way, is counted. At one of
// them the hub is killed: before it goes on, so that it never arrives, or just after.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export interface Fate {
  /** Which chunk, from 1. */
  readonly at: number;
  readonly when: 'before' | 'after';
  readonly kill: () => void;
}

export class CountedRoads implements AsyncDisposable {
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  #fate: Fate | undefined;
  #count = 0;
  #connections = 0;

  /** Since the beginning. */
  get connections(): number {
    return this.#connections;
  }

  /** How many chunks passed since the fate was set. */
  get count(): number {
    return this.#count;
  }

  /** Counts anew. */
  expect(fate: Fate): void {
    this.#fate = fate;
    this.#count = 0;
  }

  /** Resolves with the port of a road to that one. */
  async to(target: { readonly host: string; readonly port: number }): Promise<number> {
    const server = createServer((from) => {
      this.#connections += 1;
      const to = connect(target);
      for (const [near, far] of [
        [from, to],
        [to, from],
      ] as const) {
        this.#sockets.add(near);
        near.on('data', (chunk: Buffer) => this.#carry(chunk, far));
        near.on('error', () => near.destroy());
        near.on('close', () => {
          this.#sockets.delete(near);
          far.end();
        });
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  #carry(chunk: Buffer, far: Socket): void {
    this.#count += 1;
    const fate = this.#count === this.#fate?.at ? this.#fate : undefined;
    if (fate?.when === 'before') fate.kill();
    else far.write(chunk, () => fate?.kill());
  }
}
