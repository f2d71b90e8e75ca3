// The open connections, whatever they run over: how many there may be, how much each may send at once, and how they end.
import type { Duplex } from 'node:stream';
import type { Deadline } from '../src/kit/deadline.ts';
import { brokerErrors } from './errors.ts';
import { FrameMeter } from './frame-meter.ts';
import type { BrokerLimits } from './limits.ts';

export class Connections {
  readonly #limits: Pick<BrokerLimits, 'connections' | 'packet'>;
  readonly #open = new Set<Duplex>();
  readonly #waiting: (() => void)[] = [];
  #isDeaf = false;

  constructor(limits: Pick<BrokerLimits, 'connections' | 'packet'>) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Takes a fresh connection in; false when there is no room, or no new words are wanted. */
  add(connection: Duplex): boolean {
    if (this.#isDeaf || this.#open.size >= this.#limits.connections || connection.destroyed) return false;
    this.#open.add(connection);
    connection.once('close', () => {
      this.#remove(connection);
    });
    this.#guardReading(connection);
    return true;
  }

  /** From here on nothing is read any more, and no connection is taken in. */
  deafen(): void {
    this.#isDeaf = true;
  }

  /** Lets every connection send what it holds, then closes it; those that are not done by the deadline are cut. */
  async close(deadline: Deadline): Promise<void> {
    for (const connection of this.#open) connection.end(() => connection.destroy());
    await deadline.wait(this.#closed(), undefined);
    for (const connection of this.#open) connection.destroy();
    await this.#closed();
  }

  #closed(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #remove(connection: Duplex): void {
    this.#open.delete(connection);
    if (this.#open.size === 0) for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Aedes pulls with `read`, and hands what it gets to a parser that collects any announced length: here is the place to look first. */
  #guardReading(connection: Duplex): void {
    const meter = new FrameMeter(this.#limits.packet);
    const read = connection.read.bind(connection);
    connection.read = (size?: number): unknown => {
      if (this.#isDeaf) return null;
      const chunk: unknown = read(size);
      if (!(chunk instanceof Uint8Array)) return chunk;
      const oversized = meter.take(chunk);
      if (oversized === undefined) return chunk;
      connection.destroy(brokerErrors.BROKER_PACKET_TOO_LARGE({ size: oversized, limit: this.#limits.packet }));
      return null;
    };
  }
}
