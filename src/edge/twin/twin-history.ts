// What the twins of this node were, on disk beside them: written in the commit that changes the twin, one entry for each change.
// Every ring of entries has so many places, and a new entry takes the place of the oldest: nothing has to be counted, read or
// removed on the way of a publication, and it cannot grow.
import type { Clock } from '../../kit/clock.ts';
import { recordChanges, ringsIn, type HistoryEntry, type HistoryKind } from '../../model/twin-history.ts';
import type { Twin, TwinProperty } from '../../model/twin.ts';
import type { Store } from '../store/store.ts';
import { jsonTable, type Table } from '../store/store-layout.ts';
import type { Transaction } from '../store/transaction.ts';

/** Of all rings together: a node with very many keeps less in each. */
export const MOST_ENTRIES = 500_000;

/** Kind and property stand in the key. */
type StoredEntry = Omit<HistoryEntry, 'kind' | 'property'>;
type Rest = Pick<HistoryEntry, 'before' | 'length' | 'deviceTime' | 'origin'>;

/** `[n, at, value, …]`: one is written for every change, so what goes without saying is not said. */
const ENTRIES: Table<StoredEntry> = {
  name: 'history',
  encode: ({ n, before, at, value = null, length, deviceTime, origin }) => {
    const isNext = before === n - 1;
    const isUsual = isNext && length === undefined && deviceTime === undefined && origin === undefined;
    if (isUsual) return `[${n},${at},${JSON.stringify(value)}]`;
    return JSON.stringify([n, at, value, { ...(isNext ? {} : { before }), length, deviceTime, origin }]);
  },
  decode: (text) => {
    const [n, at, value, rest = {}] = JSON.parse(text) as [number, number, string | null, Partial<Rest>?];
    return { n, at, before: n - 1, ...(value === null ? {} : { value }), ...rest };
  },
};
const PLACES = jsonTable<number>('history-places');
/** Devices that are gone, until their history is too. */
const LEAVING = jsonTable<true>('history-leaving');

const LETTERS: Readonly<Record<HistoryKind, string>> = { reported: 'r', desired: 'd', state: 's' };
const PAGE = 500;

export interface TwinHistoryTools {
  readonly store: Store;
  readonly clock: Clock;
}

export class TwinHistory {
  readonly #wanted: number;
  readonly #tools: TwinHistoryTools;
  readonly #now: () => number;
  #rings = 0;
  #places: number;

  /** @param wanted how many changes of a property are kept; 0: none */
  constructor(wanted: number, tools: TwinHistoryTools) {
    this.#wanted = wanted;
    this.#tools = tools;
    this.#now = () => tools.clock.now();
    this.#places = wanted;
  }

  /** How many entries each ring has room for now. */
  get places(): number {
    return this.#places;
  }

  /** Before anything is recorded. Rings of another size than before begin anew. */
  async load(twins: Iterable<Twin>): Promise<void> {
    const { store } = this.#tools;
    const before = await store.get(PLACES, '');
    if (before !== undefined && before !== this.#wanted) await store.clear(ENTRIES, { from: '', through: '\uffff' });
    if (before !== this.#wanted)
      await store.commit((tx) => {
        tx.put(PLACES, '', this.#wanted);
      });
    for await (const uid of store.keys(LEAVING)) await this.#clear(uid);
    this.#rings = 0;
    let rings = 0;
    for (const twin of twins) rings += ringsIn(twin);
    this.#count(rings);
  }

  record(tx: Transaction, before: Twin | undefined, after: Twin): void {
    if (this.#wanted === 0) return;
    const rings = recordChanges(before, after, this.#now, {
      entry: (entry) => {
        const { kind, property, n } = entry;
        tx.put(ENTRIES, `${ringKey(after.uid, property, kind)}${n % this.#places}`, entry);
      },
      forgotten: (property, was) => this.#forget(tx, after.uid, [property, was]),
    });
    if (rings === 0) return;
    this.#count(rings);
    tx.onFailure(() => this.#count(-rings));
  }

  /** The device is gone, or another one has its name: its history goes with it, after a crash at the next start. */
  leave(tx: Transaction, twin: Twin): void {
    if (this.#wanted === 0) return;
    const { uid } = twin;
    tx.put(LEAVING, uid, true);
    tx.afterCommit(() => {
      this.#count(-ringsIn(twin));
      // What cannot be removed now is removed at the next start.
      void this.#clear(uid).catch(() => undefined);
    });
  }

  /** Every entry of one property, or of the device's states where it is empty; in no order. */
  async ofProperty(uid: string, property: string): Promise<readonly HistoryEntry[]> {
    const entries: HistoryEntry[] = [];
    for (const kind of Object.keys(LETTERS) as HistoryKind[]) {
      const ring = ringKey(uid, property, kind);
      let after = ring;
      for (let page: readonly (readonly [string, StoredEntry])[]; ;) {
        page = await this.#tools.store.between(ENTRIES, { after, before: `${ring}:`, limit: PAGE });
        for (const [, entry] of page) entries.push({ kind, property, ...entry });
        after = page.at(-1)?.[0] ?? after;
        if (page.length < PAGE) break;
      }
    }
    return entries;
  }

  /** Nobody can ask for it any more, and nothing would take its places. */
  #forget(tx: Transaction, uid: string, [property, was]: readonly [string, TwinProperty]): void {
    const { floor = 0, undesired } = was;
    for (const [kind, n] of [['reported', floor] as const, ['desired', undesired?.n ?? 0] as const])
      for (let place = Math.min(n, this.#wanted - 1); place >= 0; place -= 1)
        tx.remove(ENTRIES, `${ringKey(uid, property, kind)}${place}`);
  }

  async #clear(uid: string): Promise<void> {
    const { store } = this.#tools;
    await store.clear(ENTRIES, { from: `${uid}!`, through: `${uid}"` });
    await store.commit((tx) => {
      tx.remove(LEAVING, uid);
    });
  }

  /** Sizes divide one another, so that a ring that shrinks or grows overwrites its oldest entries and no others. */
  #count(rings: number): void {
    this.#rings += rings;
    const most = Math.max(1, Math.floor(MOST_ENTRIES / Math.max(1, this.#rings)));
    this.#places = largestDivisor(this.#wanted, most);
  }
}

/** `!` is in no uid and no property's name; digits stand between `/` and `:`. */
const ringKey = (uid: string, property: string, kind: HistoryKind): string => `${uid}!${property}!${LETTERS[kind]}`;

export function largestDivisor(of: number, most: number): number {
  if (of <= most) return of;
  for (let divisor = most; divisor > 1; divisor -= 1) if (of % divisor === 0) return divisor;
  return 1;
}
