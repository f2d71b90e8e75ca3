// What a new subscriber is told of each topic. A subscription may ask for thousands of topics; whoever else speaks meanwhile does not
// wait for the search.
import { setImmediate as turn } from 'node:timers/promises';
import { matchesFilter } from '../filter-tree.ts';
import type { PacketLike } from './message-shelf.ts';

/** Topics that are compared with a filter in one turn of the event loop. */
const AT_ONCE = 1000;

export class RetainedPackets {
  readonly #packets = new Map<string, PacketLike>();

  /** An empty one takes its topic's away. */
  set(packet: PacketLike): void {
    if (packet.payload.length === 0) this.#packets.delete(packet.topic);
    else this.#packets.set(packet.topic, { ...packet });
  }

  /** Whether it is still what its topic retains. */
  has({ topic, payload }: Pick<PacketLike, 'topic' | 'payload'>): boolean {
    return this.#packets.get(topic)?.payload === payload;
  }

  async *matching(filters: readonly string[]): AsyncGenerator<PacketLike> {
    let compared = 0;
    for (const filter of filters) {
      if (!/[+#]/.test(filter)) {
        const packet = this.#packets.get(filter);
        if (packet !== undefined) yield packet;
        continue;
      }
      for (const packet of this.#packets.values()) {
        if (matchesFilter(filter, packet.topic)) yield packet;
        compared += 1;
        if (compared % AT_ONCE === 0) await turn();
      }
    }
  }
}
