// The open connections, whatever they run over: how many there may be, in all and from one address, which of them do not move, and
// how they end.
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Deadline } from '../src/kit/deadline.ts';
import { limitReached } from './client-limits.ts';
import { LOOPBACK_DOOR, type Door } from './access/standing.ts';
import { addressOf, Guest, type Arrival } from './guest.ts';
import type { BrokerLimits } from './limits.ts';
import { UnfinishedPackets } from './unfinished-packets.ts';
import { WaitingRoom } from './waiting-room.ts';

/** A client does not move when so many looks in a row find it where it was. */
const LOOKS_WITHOUT_MOVE = 4;

export interface ConnectionsTools {
  /** Told of a socket that is closed before it became a connection that Aedes knows. */
  readonly onRefused: (error: Error, address: string) => void;
}

export class Connections {
  readonly unfinished: UnfinishedPackets;
  readonly #limits: BrokerLimits;
  readonly #guests = new Map<Duplex, Guest>();
  readonly #waitingRoom: WaitingRoom;
  readonly #streams = new WeakMap<Socket, Duplex>();
  /** Clients that were let in, by address. */
  readonly #admitted = new Map<string, number>();
  #admittedInAll = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #onRefused: ConnectionsTools['onRefused'];
  readonly #closed = { received: 0, sent: 0 };
  #timer: NodeJS.Timeout | undefined;
  #isDeaf = false;

  constructor(limits: BrokerLimits, tools: ConnectionsTools) {
    this.#limits = limits;
    this.unfinished = new UnfinishedPackets(limits);
    this.#onRefused = tools.onRefused;
    this.#waitingRoom = new WaitingRoom(limits, { dismiss: (socket, error) => this.#dismiss(socket, error) });
  }

  /** Clients that were let in. */
  get admitted(): number {
    return this.#admittedInAll;
  }

  /** Of connections that speak MQTT, those that are closed included. */
  get traffic(): { readonly received: number; readonly sent: number } {
    let { received, sent } = this.#closed;
    for (const { socket } of this.#guests.values()) {
      received += socket.bytesRead;
      sent += socket.bytesWritten;
    }
    return { received, sent };
  }

  /** Bytes that wait for clients to take them. */
  get backlog(): number {
    let sum = 0;
    for (const { connection } of this.#guests.values()) sum += connection.writableLength;
    return sum;
  }

  /** From here on those who do not move, or say nothing, are cut. */
  watch(): void {
    this.#waitingRoom.open();
    const look = (): void => {
      for (const guest of this.#guests.values()) this.#look(guest);
    };
    this.#timer = setInterval(look, this.#limits.stalledAfter / LOOKS_WITHOUT_MOVE).unref();
  }

  /** A fresh socket; false when no new ones are wanted. */
  greet(socket: Socket): boolean {
    if (this.#isDeaf || socket.destroyed) return false;
    this.#waitingRoom.enter(socket);
    return true;
  }

  /** The socket that was greeted carries MQTT on this stream, which may be itself. False when no new ones are wanted. */
  add(connection: Duplex, arrival: Arrival): boolean {
    if (this.#isDeaf || connection.destroyed) return false;
    const guest = new Guest(connection, arrival, this.#limits, this.unfinished.holding(connection));
    this.#guests.set(connection, guest);
    this.#streams.set(guest.socket, connection);
    connection.once('close', () => this.#remove(guest));
    return true;
  }

  /** It has said CONNECT; the limit that stands against it, if any. `predecessor`: the connection that it will replace. */
  admit(connection: Duplex, predecessor?: Duplex): 'connections' | 'address-connections' | undefined {
    const guest = this.#guests.get(connection);
    if (guest === undefined || guest.isAdmitted) return undefined;
    this.#waitingRoom.leave(guest.socket);
    const before = predecessor === undefined ? undefined : this.#guests.get(predecessor);
    const limit = this.#limitAgainst(guest.address, before?.address);
    if (limit !== undefined) return limit;
    guest.isAdmitted = true;
    this.#count(guest.address, 1);
    return undefined;
  }

  addressOf(connection: Duplex): string {
    return this.#guests.get(connection)?.address ?? 'unknown';
  }

  doorOf(connection: Duplex): Door {
    return this.#guests.get(connection)?.door ?? LOOPBACK_DOOR;
  }

  /** From here on nothing is read any more, and no connection is taken in. */
  deafen(): void {
    this.#isDeaf = true;
    for (const guest of this.#guests.values()) guest.isDeaf = true;
  }

  /** Lets every connection send what it holds, then closes it; those that are not done by the deadline are cut. */
  async close(deadline: Deadline): Promise<void> {
    clearInterval(this.#timer);
    this.#waitingRoom.close();
    for (const connection of this.#guests.keys()) connection.end(() => connection.destroy());
    await deadline.wait(this.#allClosed(), undefined);
    for (const connection of this.#guests.keys()) connection.destroy();
    await this.#allClosed();
  }

  /** `freed`: the address of a client that will go for it. */
  #limitAgainst(address: string, freed: string | undefined): 'connections' | 'address-connections' | undefined {
    const { connections, addressConnections } = this.#limits;
    if (this.#admittedInAll - (freed === undefined ? 0 : 1) >= connections) return 'connections';
    const fromThere = (this.#admitted.get(address) ?? 0) - (freed === address ? 1 : 0);
    return !isLoopback(address) && fromThere >= addressConnections ? 'address-connections' : undefined;
  }

  #allClosed(): Promise<void> {
    if (this.#guests.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #remove({ connection, socket, address, isAdmitted }: Guest): void {
    this.#guests.delete(connection);
    this.#closed.received += socket.bytesRead;
    this.#closed.sent += socket.bytesWritten;
    if (isAdmitted) this.#count(address, -1);
    if (this.#guests.size === 0) for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #count(address: string, more: 1 | -1): void {
    this.#admittedInAll += more;
    const left = (this.#admitted.get(address) ?? 0) + more;
    if (left > 0) this.#admitted.set(address, left);
    else this.#admitted.delete(address);
  }

  #look(guest: Guest): void {
    if (guest.look() >= LOOKS_WITHOUT_MOVE) guest.connection.destroy(limitReached('stalled', this.#limits));
  }

  #dismiss(socket: Socket, error: Error): void {
    const connection = this.#streams.get(socket);
    if (connection !== undefined) {
      connection.destroy(error);
      return;
    }
    this.#onRefused(error, addressOf(socket));
    socket.destroy();
  }
}

const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.');
