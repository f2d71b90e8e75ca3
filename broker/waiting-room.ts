// Sockets that have not said CONNECT yet, however far they got: so few of them, for so long. When the room is full, the one that has
// been silent longest gives way: whoever opens sockets and says nothing then shuts nobody out who has something to say.
import type { Socket } from 'node:net';
import { limitReached } from './client-limits.ts';
import type { BrokerLimits } from './limits.ts';

/** Looks at the clock so often in the time that a socket has. */
const LOOKS = 4;

export interface WaitingRoomTools {
  /** Closes it for this. */
  readonly dismiss: (socket: Socket, error: Error) => void;
}

export class WaitingRoom {
  readonly #limits: Pick<BrokerLimits, 'unannounced' | 'connectTimeout'>;
  readonly #dismiss: WaitingRoomTools['dismiss'];
  /** In the order in which they came: since when. */
  readonly #since = new Map<Socket, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: Pick<BrokerLimits, 'unannounced' | 'connectTimeout'>, tools: WaitingRoomTools) {
    this.#limits = limits;
    this.#dismiss = tools.dismiss;
  }

  open(): void {
    const look = (): void => {
      this.#look(performance.now());
    };
    this.#timer = setInterval(look, this.#limits.connectTimeout / LOOKS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  enter(socket: Socket): void {
    const [oldest] = this.#since.keys();
    if (this.#since.size >= this.#limits.unannounced && oldest !== undefined) this.#send(oldest, 'unannounced');
    this.#since.set(socket, performance.now());
    socket.once('close', () => this.leave(socket));
  }

  /** It has said CONNECT, or is closed. */
  leave(socket: Socket): void {
    this.#since.delete(socket);
  }

  #look(now: number): void {
    for (const [socket, since] of this.#since) {
      if (now - since < this.#limits.connectTimeout) return;
      this.#send(socket, 'connect-timeout');
    }
  }

  #send(socket: Socket, reason: 'unannounced' | 'connect-timeout'): void {
    this.leave(socket);
    this.#dismiss(socket, limitReached(reason, this.#limits));
  }
}
