// What the stream has beyond doubt leaves the disk, after the positions that tell of it were written.
import type { OneAtATime } from '../../kit/one-at-a-time.ts';
import type { Store } from '../store/store.ts';
import { jsonTable } from '../store/store-layout.ts';
import type { ChainBacklog, ChainPosition } from './chain-backlog.ts';
import { afterEntry } from './outbox-key.ts';
import { OUTBOX_ENTRIES } from './stored-entry.ts';

export const POSITIONS = jsonTable<ChainPosition>('chain');

export interface SettlementTools {
  readonly store: Store;
  readonly chains: ReadonlyMap<string, ChainBacklog>;
  /** Whoever reads a chain in order to change it takes turns. */
  readonly turns: OneAtATime;
  /** So many bytes were removed, as a negative number. */
  readonly weigh: (bytes: number) => void;
}

export class Settlement {
  readonly #tools: SettlementTools;

  constructor(tools: SettlementTools) {
    this.#tools = tools;
  }

  /** Removes from disk what the stream acknowledged up to a moment; returns how many bytes that were. */
  async clear(through: number, isWanted: (chain: string) => boolean): Promise<number> {
    const { store, chains, turns, weigh } = this.#tools;
    await this.writePositions();
    let freed = 0;
    for (const [chain, backlog] of chains) {
      await turns.run(async () => {
        if (!isWanted(chain)) return;
        const settled = backlog.takeSettled(through);
        if (settled === undefined) return;
        try {
          const bounds = { from: afterEntry(chain, 0), through: afterEntry(chain, settled.sequence) };
          await store.clear(OUTBOX_ENTRIES, bounds);
          weigh(-settled.bytes);
          freed += settled.bytes;
        } catch (error) {
          backlog.keepSettled(settled);
          throw error;
        }
      });
    }
    return freed;
  }

  /** Must precede the removal of what they cover: without entries, only the position tells what the stream has. */
  async writePositions(): Promise<void> {
    const { store, chains } = this.#tools;
    const moved = [...chains].filter(([, backlog]) => backlog.takeMoved());
    if (moved.length === 0) return;
    await store.commit((tx) => {
      tx.onFailure(() => {
        for (const [, backlog] of moved) backlog.keepMoved();
      });
      for (const [chain, backlog] of moved) tx.put(POSITIONS, chain, backlog.position);
    });
  }
}
