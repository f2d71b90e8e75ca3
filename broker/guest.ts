// One connection as the broker sees it from outside: the stream that carries MQTT, and the socket under it.
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { LOOPBACK_DOOR, type Door } from './access/standing.ts';
import { limitReached } from './client-limits.ts';
import { FrameMeter } from './frame-meter.ts';
import type { BrokerLimits } from './limits.ts';
import { Progress } from './progress.ts';
import type { Holding } from './unfinished-packets.ts';

/** How a connection came. */
export interface Arrival {
  /** The one that was greeted. */
  readonly socket: Socket;
  readonly door?: Door;
}

export class Guest {
  readonly connection: Duplex;
  readonly socket: Socket;
  readonly door: Door;
  readonly address: string;
  /** Let in, and counted. */
  isAdmitted = false;
  /** Reads nothing any more. */
  isDeaf = false;
  readonly #progress = new Progress();
  readonly #meter: FrameMeter;
  readonly #unfinished: Holding;

  /** `unfinished`: what is held here of a packet. */
  constructor(connection: Duplex, arrival: Arrival, limits: Pick<BrokerLimits, 'packet'>, unfinished: Holding) {
    const { socket, door = LOOPBACK_DOOR } = arrival;
    this.connection = connection;
    this.socket = socket;
    this.door = door;
    this.address = addressOf(socket);
    this.#meter = new FrameMeter(limits.packet);
    this.#unfinished = unfinished;
    this.#guardReading(limits);
  }

  /** How many looks in a row found that the client does not move. */
  look(): number {
    const { connection, socket } = this;
    const isSending = connection.writableLength > 0 || socket.writableLength > 0;
    const isReceiving = this.#meter.isMidPacket && connection.readableLength === 0;
    const sent = socket.bytesWritten - socket.writableLength;
    return this.#progress.look({ isSending, sent, queued: queuedOf(socket), isReceiving, received: socket.bytesRead });
  }

  /** Aedes pulls with `read`, and hands what it gets to a parser that collects any announced length: here is the place to look first. */
  #guardReading(limits: Pick<BrokerLimits, 'packet'>): void {
    const { connection } = this;
    const read = connection.read.bind(connection);
    connection.read = (size?: number): unknown => {
      if (this.isDeaf) return null;
      const chunk: unknown = read(size);
      if (!(chunk instanceof Uint8Array)) return chunk;
      const oversized = this.#meter.take(chunk);
      if (oversized !== undefined) connection.destroy(limitReached('packet', limits));
      else if (this.#meter.isMidPacket) this.#hold(chunk);
      else this.#unfinished.drop();
      return connection.destroyed ? null : chunk;
    };
  }

  #hold(chunk: Uint8Array): void {
    const tail = this.#meter.tailOf(chunk);
    if (tail === undefined) this.#unfinished.add(chunk.length);
    else this.#unfinished.begin(tail);
  }
}

export function addressOf({ remoteAddress = 'unknown' }: Socket): string {
  // An IPv4 address as a socket of both families shows it.
  return remoteAddress.replace(/^::ffff:/, '');
}

/** What the system has been given and not taken: Node asks it the same way for its own time-outs, and shows it nowhere. */
function queuedOf(socket: Socket): number {
  return (
    (socket as unknown as { readonly _handle?: { readonly writeQueueSize?: number } })._handle?.writeQueueSize ?? 0
  );
}
