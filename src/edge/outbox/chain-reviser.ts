// Takes entries out of the middle of a chain: read, replaced and removed in one synced commit, a stretch at a time, so that neither
// the memory nor a power cut can be surprised by it. What the stream has, or may have by now, is never touched.
import type { Store } from '../store/store.ts';
import type { ChainBacklog } from './chain-backlog.ts';
import { compact, mayGiveWay, type Rewrite } from './compaction.ts';
import { markerFor, type GapReason } from './gap-marker.ts';
import { afterEntry, endOfChain, parseEntryKey, type Weighed } from './outbox-key.ts';
import { OUTBOX_ENTRIES, putEntry, weightOfFact, type OutboxEntry, type WeighedEntry } from './stored-entry.ts';

export interface Chain {
  readonly name: string;
  readonly backlog: ChainBacklog;
}

/** What one step did: how many changes are lost, and how many bytes less there are. */
export interface Revision {
  readonly lost: number;
  readonly freed: number;
  /** Whether the chain may hold more of the kind. */
  readonly isDone: boolean;
}

/** How far a chain has been compacted, so that no entry is read twice for it. */
export interface CompactionMark {
  through: number;
  /** Older entries that give way when a newer one tells the same. */
  giveWay: readonly number[];
}

/** With its key as it was read: entries of older stores have keys that nobody would make now. */
interface FoundEntry extends WeighedEntry {
  readonly key: string;
}

const MOST_ENTRIES = 1000;
const MOST_BYTES = 4 * 1024 * 1024;
const NOTHING: Revision = { lost: 0, freed: 0, isDone: true };

export class ChainReviser {
  readonly #store: Store;
  readonly #weigh: (bytes: number) => void;

  /** @param tools `weigh` is told at once by how much there is more on disk */
  constructor(tools: { readonly store: Store; readonly weigh: (bytes: number) => void }) {
    this.#store = tools.store;
    this.#weigh = tools.weigh;
  }

  /** Drops the oldest entries up to a sequence, a stretch of them; a marker takes their place. */
  async drop(chain: Chain, through: number, reason: GapReason): Promise<Revision> {
    return revising(chain.backlog, async () => {
      const entries = await this.#read(chain, chain.backlog.fixedThrough, through);
      const last = entries.at(-1);
      const marker = markerFor(entries, reason);
      if (last === undefined || marker === undefined || marker.lost === 0) return NOTHING;
      const { incarnation, sequence } = last;
      const freed = sum(entries) - weightOfFact(chain.name, incarnation, marker.fact);
      // What is too old goes all the same.
      if (freed <= 0 && reason === 'bytes') return NOTHING;
      await this.#replace(chain, entries, [{ sequence, incarnation, fact: marker.fact }], sequence);
      return { lost: marker.lost, freed, isDone: sequence >= through };
    });
  }

  /** Takes out changes that newer waiting ones of the same property stand for, in the next stretch of the chain. */
  async compact(chain: Chain, mark: CompactionMark): Promise<Revision> {
    return revising(chain.backlog, async () => {
      const fixed = chain.backlog.fixedThrough;
      const next = await this.#read(chain, Math.max(mark.through, fixed), Number.MAX_SAFE_INTEGER);
      const entries = [...(await this.#readEach(chain, mark.giveWay, fixed)), ...next];
      const { rewrites, lost } = compact(entries);
      const before = sum(rewrites.map(({ entry }) => entry));
      const freed = before - rewrites.reduce((bytes, rewrite) => bytes + weightOf(chain.name, rewrite), 0);
      if (freed > 0) await this.#rewrite(chain, rewrites);
      mark.through = next.at(-1)?.sequence ?? mark.through;
      mark.giveWay = leftOf(entries, freed > 0 ? rewrites : []);
      const isDone = mark.through >= chain.backlog.newestCompactable || next.length === 0;
      return freed > 0 ? { lost, freed, isDone } : { ...NOTHING, isDone };
    });
  }

  #rewrite(chain: Chain, rewrites: readonly Rewrite<FoundEntry>[]): Promise<void> {
    const changed = rewrites.map(({ entry }) => entry);
    const left = rewrites.flatMap(({ entry, left: fact }) => (fact === undefined ? [] : [{ ...entry, fact }]));
    return this.#replace(chain, changed, left);
  }

  async #replace(
    { name, backlog }: Chain,
    entries: readonly FoundEntry[],
    replacements: readonly OutboxEntry[],
    oldest?: number,
  ): Promise<void> {
    await this.#store.commit((tx) => {
      for (const { key } of entries) tx.remove(OUTBOX_ENTRIES, key);
      const put = replacements.map((replacement) => putEntry(tx, name, replacement));
      tx.afterCommit(() => {
        const bytes = sum(entries) - sum(put);
        backlog.revised({ entries: entries.length - put.length, bytes, oldest });
        this.#weigh(-bytes);
      });
    });
  }

  /** The next entries behind a sequence, as many as one step may hold. */
  async #read({ name }: Chain, after: number, through: number): Promise<readonly FoundEntry[]> {
    const before = through === Number.MAX_SAFE_INTEGER ? endOfChain(name) : afterEntry(name, through);
    const weighed: Weighed[] = [];
    let bytes = 0;
    for await (const key of this.#store.keysBetween(OUTBOX_ENTRIES, { after: afterEntry(name, after), before })) {
      const entry = parseEntryKey(key);
      if (weighed.length > 0 && bytes + entry.bytes > MOST_BYTES) break;
      weighed.push(entry);
      bytes += entry.bytes;
      if (weighed.length === MOST_ENTRIES) break;
    }
    const last = weighed.at(-1);
    return last === undefined ? [] : this.#readRange(name, after, last.sequence, weighed.length);
  }

  /** Those of the sequences that are still there and may be changed. */
  async #readEach({ name }: Chain, sequences: readonly number[], fixed: number): Promise<readonly FoundEntry[]> {
    const found: FoundEntry[] = [];
    for (const sequence of sequences)
      if (sequence > fixed) found.push(...(await this.#readRange(name, sequence - 1, sequence, 1)));
    return found;
  }

  async #readRange(chain: string, after: number, through: number, limit: number): Promise<readonly FoundEntry[]> {
    const bounds = { after: afterEntry(chain, after), before: afterEntry(chain, through), limit };
    const found = await this.#store.between(OUTBOX_ENTRIES, bounds);
    return found.map(([key, { incarnation, fact }]) => {
      const { sequence, bytes, isCompactable } = parseEntryKey(key);
      return { key, sequence, bytes, isCompactable, incarnation, fact };
    });
  }
}

async function revising(backlog: ChainBacklog, work: () => Promise<Revision>): Promise<Revision> {
  backlog.beginRevision();
  try {
    return await work();
  } finally {
    backlog.endRevision();
  }
}

/** Entries of which a change may still give way, after the rewrites. */
function leftOf(entries: readonly WeighedEntry[], rewrites: readonly Rewrite[]): readonly number[] {
  const rewritten = new Map(rewrites.map(({ entry, left }) => [entry, left] as const));
  return entries
    .filter((entry) => {
      const left = rewritten.has(entry) ? rewritten.get(entry) : entry.fact;
      return left !== undefined && mayGiveWay(left);
    })
    .map(({ sequence }) => sequence);
}

const weightOf = (chain: string, { entry, left }: Rewrite): number =>
  left === undefined ? 0 : weightOfFact(chain, entry.incarnation, left);

const sum = (entries: readonly Weighed[]): number => entries.reduce((bytes, entry) => bytes + entry.bytes, 0);
