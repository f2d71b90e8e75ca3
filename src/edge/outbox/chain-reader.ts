// What the disk holds of one chain, brought into its backlog: the oldest facts themselves, as many as may be in memory at once, or
// by their keys alone how many there are.
import type { OneAtATime } from '../../kit/one-at-a-time.ts';
import type { Store } from '../store/store.ts';
import type { ChainBacklog, ChainPosition } from './chain-backlog.ts';
import type { Chain } from './chain-reviser.ts';
import { afterEntry, endOfChain, parseEntryKey } from './outbox-key.ts';
import { OUTBOX_ENTRIES, type OutboxEntry } from './stored-entry.ts';

const READ_AHEAD = { entries: 200, bytes: 4 * 1024 * 1024 };

export interface ChainReaderTools {
  readonly store: Store;
  /** Whoever reads a chain in order to change it takes turns. */
  readonly turns: OneAtATime;
  /** For how long sessions with the stream have been open. */
  readonly linked: () => number;
}

export class ChainReader {
  readonly #tools: ChainReaderTools;

  constructor(tools: ChainReaderTools) {
    this.#tools = tools;
  }

  /** Hands out up to `limit` of the chain's oldest waiting facts, once they are in memory. */
  async oldest({ name, backlog }: Chain, limit: number): Promise<readonly OutboxEntry[]> {
    for (let read: 'filled' | 'changed' = 'changed'; read === 'changed' && backlog.needsReading;) {
      if (backlog.isRevised) await this.#tools.turns.run(() => Promise.resolve());
      else read = await this.#readAhead(name, backlog);
    }
    return backlog.handOut(limit);
  }

  /** Counts the chain anew from a position. */
  recount({ name, backlog }: Chain, position: ChainPosition): Promise<void> {
    const { store, turns, linked } = this.#tools;
    return turns.run(async () => {
      for (let result = 'moved'; result === 'moved';) {
        const recount = backlog.beginRecount(position);
        try {
          const bounds = { after: afterEntry(name, recount.after), before: endOfChain(name) };
          for await (const key of store.keysBetween(OUTBOX_ENTRIES, bounds)) recount.found(parseEntryKey(key));
          result = recount.end(linked());
        } finally {
          recount.giveUp();
        }
      }
    });
  }

  async #readAhead(chain: string, backlog: ChainBacklog): Promise<'filled' | 'changed'> {
    const reading = backlog.beginReading();
    const bounds = { after: afterEntry(chain, reading.after), before: endOfChain(chain) };
    const isLight = backlog.heaviest * READ_AHEAD.entries <= READ_AHEAD.bytes;
    const limit = isLight ? READ_AHEAD.entries : await this.#fitting(bounds);
    const found = await this.#tools.store.between(OUTBOX_ENTRIES, { ...bounds, limit });
    return reading.end(
      found.map(([key, { incarnation, fact }]) => {
        const { sequence, bytes, isCompactable } = parseEntryKey(key);
        return { sequence, bytes, isCompactable, incarnation, fact };
      }),
    );
  }

  /** How many of the entries may be in memory at once, at least one: messages may weigh a thousand times what a value does. */
  async #fitting(bounds: { readonly after: string; readonly before: string }): Promise<number> {
    let entries = 0;
    let bytes = 0;
    for await (const key of this.#tools.store.keysBetween(OUTBOX_ENTRIES, bounds)) {
      bytes += parseEntryKey(key).bytes;
      if (entries > 0 && bytes > READ_AHEAD.bytes) break;
      entries += 1;
      if (entries === READ_AHEAD.entries) break;
    }
    return Math.max(1, entries);
  }
}
