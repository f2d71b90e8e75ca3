// What is held of packets and WebSocket messages that have begun and not ended, over all connections. A client that sends the bytes
// of a large packet one by one moves, and is never cut for standing still; many of them together would take what memory there is.
import type { Duplex } from 'node:stream';
import { bytes, type Bytes } from '../src/kit/units.ts';
import { limitReached } from './client-limits.ts';
import type { BrokerLimits } from './limits.ts';

/** A chunk takes up to 850 bytes beside its own (measured), however small it is. */
const BESIDE_A_CHUNK = 1024;
/** A packet in chunks of a few hundred bytes has room beside others, however large it may be. */
const PACKETS = 4;

type Limits = Pick<BrokerLimits, 'packet' | 'unfinishedBytes'>;

export class UnfinishedPackets {
  readonly #limits: Limits;
  /** In the order in which they began. */
  readonly #held = new Set<Holding>();
  #bytes = 0;

  constructor({ packet, unfinishedBytes }: Limits) {
    this.#limits = { packet, unfinishedBytes: bytes(Math.max(unfinishedBytes, PACKETS * packet)) };
  }

  get bytes(): number {
    return this.#bytes;
  }

  get limit(): Bytes {
    return this.#limits.unfinishedBytes;
  }

  /** Of what comes on this connection. */
  holding(connection: Duplex): Holding {
    const holding = new Holding(connection, (one, weight) => this.#weigh(one, weight));
    connection.once('close', () => holding.drop());
    return holding;
  }

  #weigh(holding: Holding, weight: number): void {
    this.#bytes += weight - holding.weight;
    holding.weight = weight;
    if (weight === 0) this.#held.delete(holding);
    else this.#held.add(holding);
    if (this.#bytes > this.limit) this.#endFirst();
  }

  #endFirst(): void {
    const [first] = this.#held;
    first?.drop();
    first?.connection.destroy(limitReached('unfinished', this.#limits));
  }
}

/** What is held of one packet, or of one message, at a time. */
export class Holding {
  readonly connection: Duplex;
  weight = 0;
  readonly #weigh: (holding: Holding, weight: number) => void;

  constructor(connection: Duplex, weigh: (holding: Holding, weight: number) => void) {
    this.connection = connection;
    this.#weigh = weigh;
  }

  /** So many bytes came, and are held, of what has begun before. */
  add(size: number): void {
    if (!this.connection.destroyed) this.#weigh(this, this.weight + size + BESIDE_A_CHUNK);
  }

  /** What was held has ended; so many bytes came, and are held, of the next. */
  begin(size: number): void {
    this.drop();
    this.add(size);
  }

  /** What was held has ended. */
  drop(): void {
    if (this.weight > 0) this.#weigh(this, 0);
  }
}
