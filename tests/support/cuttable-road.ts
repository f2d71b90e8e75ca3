// A TCP road to a server that a test can cut and open again, and make narrow: both ends stay alive.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export class CuttableRoad implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isOpen = true;
  /** Bytes in a millisecond, towards the server. */
  #width = Number.POSITIVE_INFINITY;

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#server = createServer((near) => {
      if (this.#isOpen) this.#lead(near, connect(target));
      else near.destroy();
    });
  }

  /** @param url of the server behind it */
  static async to(url: string): Promise<CuttableRoad> {
    const { hostname: host, port } = new URL(url);
    const road = new CuttableRoad({ host, port: Number(port) });
    road.#server.listen(0, '127.0.0.1');
    await once(road.#server, 'listening');
    return road;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Connections die, and new ones are refused. */
  cut(): void {
    this.#isOpen = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Swallows everything from now on, both ways; no connection dies of it. */
  silence(): void {
    for (const socket of this.#sockets) {
      socket.unpipe();
      socket.removeAllListeners('data');
      socket.resume();
    }
  }

  /** @param bytesPerSecond that pass towards the server from now on */
  open(bytesPerSecond = Number.POSITIVE_INFINITY): void {
    this.#isOpen = true;
    this.#width = bytesPerSecond / 1000;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #lead(near: Socket, far: Socket): void {
    far.pipe(near);
    near.on('data', (chunk) => {
      far.write(chunk);
      const takes = chunk.length / this.#width;
      if (takes < 1) return;
      near.pause();
      setTimeout(() => near.resume(), takes);
    });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }
}
