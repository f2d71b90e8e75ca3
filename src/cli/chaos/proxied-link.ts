// One connection of an edge node to nats-server, led through us, so that it can be cut without root: bytes pass, vanish, or wait.
import type { Socket } from 'node:net';
import { FrameCutter } from './nats-frames.ts';

export type Handling = 'pass' | 'vanish' | 'wait';

/** Of one direction, while bytes wait; past it the sender's own buffers fill up. */
const MOST_WAITING = 8 * 1024 * 1024;

export class ProxiedLink {
  readonly #up: Direction;
  readonly #down: Direction;
  readonly closed: Promise<unknown>;

  /** @param isDropped asked for the subject of each message on its way to the edge node */
  constructor(
    ends: { readonly edge: Socket; readonly server: Socket },
    isDropped: ((subject: string) => boolean) | undefined,
  ) {
    const { edge, server } = ends;
    this.#up = new Direction(edge, server, (bytes) => bytes);
    this.#down = new Direction(server, edge, isDropped === undefined ? (bytes) => bytes : dropping(isDropped));
    this.closed = Promise.all([edge, server].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
  }

  set handling(handling: Handling) {
    this.#up.handling = handling;
    this.#down.handling = handling;
  }

  /** At once, and whatever waits is gone. */
  end(): void {
    this.handling = 'vanish';
    this.#up.end();
    this.#down.end();
  }
}

class Direction {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #change: (bytes: Buffer) => Buffer;
  #handling: Handling = 'pass';
  #waiting: Buffer[] = [];
  #waitingBytes = 0;

  constructor(from: Socket, to: Socket, change: (bytes: Buffer) => Buffer) {
    this.#from = from;
    this.#to = to;
    this.#change = change;
    from.setNoDelay(true);
    from.on('data', (bytes: Buffer) => this.#take(bytes));
    from.on('close', () => {
      // While bytes wait, their way stays open for them: a dying connection's last words may come late.
      if (this.#handling === 'pass') to.destroySoon();
    });
    // What happened to the connection is what its close says.
    from.on('error', () => undefined);
  }

  set handling(handling: Handling) {
    this.#handling = handling;
    if (handling === 'wait') return;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (handling === 'vanish') return;
    for (const bytes of waiting) this.#to.write(bytes);
    this.#from.resume();
    if (this.#from.destroyed) this.#to.destroySoon();
  }

  end(): void {
    this.#from.destroy();
  }

  #take(raw: Buffer): void {
    if (this.#handling === 'vanish') return;
    const bytes = this.#change(raw);
    if (this.#handling === 'wait') {
      this.#waiting.push(bytes);
      this.#waitingBytes += bytes.length;
      if (this.#waitingBytes > MOST_WAITING) this.#from.pause();
    } else if (!this.#to.write(bytes)) {
      this.#from.pause();
      this.#to.once('drain', () => this.#from.resume());
    }
  }
}

function dropping(isDropped: (subject: string) => boolean): (bytes: Buffer) => Buffer {
  const cutter = new FrameCutter();
  return (chunk) =>
    Buffer.concat(
      cutter
        .push(chunk)
        .filter(({ subject }) => subject === undefined || !isDropped(subject))
        .map(({ bytes }) => bytes),
    );
}
