// An outbox with a limit that is always short, over a store in memory, and everything beside it: what was enlisted, what the stream has,
// and what the books must say.
import assert from 'node:assert/strict';
import type { ChainPosition } from '../../../../../src/edge/outbox/chain-backlog.ts';
import { parseEntryKey } from '../../../../../src/edge/outbox/outbox-key.ts';
import { COUNTER, Outbox, OUTBOX_ENTRIES } from '../../../../../src/edge/outbox/outbox.ts';
import { Deadline } from '../../../../../src/kit/deadline.ts';
import { silentLogger } from '../../../../../src/kit/logger.ts';
import { bytes, ms } from '../../../../../src/kit/units.ts';
import type { Fact, GapChange } from '../../../../../src/model/fact.ts';
import { ManualClock } from '../../../../support/manual-clock.ts';
import { MemoryStore } from '../../../../support/memory-store.ts';
import { ROOMY } from '../../../../support/roomy-outbox.ts';

export const CHAINS = ['telemetry', 'event', 'twin'].flatMap((kind) =>
  ['a', 'b'].map((device) => `skerry.n.up.${kind}.d.${device}`),
);
const NEVER = new AbortController().signal;
export const LIMIT = 24_000;

interface Told {
  readonly sequence: number;
  readonly changes: Fact['changes'];
}

/** Everything beside the outbox: what was enlisted, and what each chain of the stream holds. */
export class World {
  readonly clock = new ManualClock();
  readonly disk = new Map<string, string>();
  readonly enlisted = new Map<string, Map<number, number>>();
  readonly stream = new Map<string, { readonly messages: Told[][]; streamSequence: number }>();
  readonly #work = new Set<Promise<unknown>>();
  readonly #busy = new Set<string>();
  readonly #random: () => number;
  /** Whether a crash came while the stream may have had what this side did not know of. */
  isUnsure = false;
  store!: MemoryStore;
  outbox!: Outbox;
  #n = 0;
  #unplaced = new Set<string>();

  constructor(random: () => number) {
    this.#random = random;
    for (const chain of CHAINS) {
      this.enlisted.set(chain, new Map());
      this.stream.set(chain, { messages: [], streamSequence: 0 });
    }
  }

  async open(): Promise<void> {
    this.store = new MemoryStore(this.disk, () => this.pause(this.#random() * 4));
    const tools = { store: this.store, clock: this.clock, incarnation: () => 'i', logger: silentLogger };
    this.outbox = new Outbox({ ...ROOMY, limit: bytes(LIMIT) }, tools);
    await this.outbox.start(NEVER);
    this.#unplaced = new Set(CHAINS);
  }

  async pause(turns: number): Promise<void> {
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
  }

  /** Everything that was begun is over, and the outbox does nothing any more. */
  async settle(): Promise<void> {
    await Promise.all(this.#work);
    for (let [last, unchanged] = [-1, 0]; unchanged < 4;) {
      const { bytes: told } = this.outbox.statistics();
      unchanged = told === last ? unchanged + 1 : 0;
      last = told;
      await this.pause(200);
      // As the next publication would.
      await this.outbox.room()?.catch(() => undefined);
    }
  }

  enlist(chain: string, properties: number, padding: number): void {
    const { outbox, store } = this;
    this.#begin(async () => {
      try {
        await outbox.room();
      } catch {
        // Refused: its device is not answered, and sends it again.
        return;
      }
      this.#n += 1;
      const n = this.#n;
      this.clock.advance(1);
      const names = Array.from({ length: properties }, (_, place) => `p${(n + place) % 3}`);
      const changes = names.map((property) => ({
        ...({ kind: 'reported', property, type: 'STRING', value: 'x'.repeat(padding), n } as const),
        ...(property === 'p0' ? {} : { isCompactable: true as const }),
      }));
      const fact = { device: { namespace: 'd', name: 'a' }, uid: 'u', binding: 1, at: this.clock.now(), changes };
      const sequence = await store.commit((tx) => {
        outbox.enlist(tx, chain, fact);
        return tx.staged(COUNTER, '') as number;
      });
      this.enlisted.get(chain)?.set(sequence, properties);
    });
  }

  /** As the uplink does: one publish of a chain at a time; what is unclear is asked of the stream. */
  send(chain: string, limit: number, fate: 'stored' | 'unanswered' | 'lost'): void {
    if (this.#busy.has(chain)) return;
    this.#busy.add(chain);
    const { outbox } = this;
    this.#begin(async () => {
      try {
        if (this.#unplaced.has(chain)) await outbox.moveTo(chain, this.#positionInStream(chain));
        if (outbox !== this.outbox) return;
        this.#unplaced.delete(chain);
        const entries = await outbox.oldest(chain, limit);
        const newest = entries.at(-1);
        if (newest === undefined || outbox !== this.outbox) return;
        const stands = this.stream.get(chain)!;
        assert.equal(outbox.position(chain).streamSequence, stands.streamSequence, 'the stream would refuse this');
        await this.pause(this.#random() * 20);
        if (fate !== 'lost') {
          stands.messages.push(entries.map(({ sequence, fact }) => ({ sequence, changes: fact.changes })));
          stands.streamSequence += 1;
        }
        await this.pause(this.#random() * 20);
        if (outbox !== this.outbox) this.isUnsure = true;
        else if (fate === 'stored') outbox.acknowledge(chain, this.#positionInStream(chain));
        else this.#unplaced.add(chain);
      } finally {
        this.#busy.delete(chain);
      }
    });
  }

  async crash(): Promise<void> {
    const { store, outbox } = this;
    store.cut();
    await Promise.allSettled(this.#work);
    // What was answered but not written down, or stored but not answered, is unknown to the next process until it asks.
    this.isUnsure ||= CHAINS.some((chain) => this.#positionInStream(chain).acknowledged > this.#written(chain));
    await outbox.stop(Deadline.after(ms(1000)));
    await this.open();
  }

  async drain(): Promise<void> {
    for (const chain of CHAINS)
      for (let rounds = 0; rounds < 500 && (rounds === 0 || this.outbox.waiting(chain) > 0); rounds += 1) {
        this.send(chain, 9, 'stored');
        await Promise.all(this.#work);
      }
  }

  #begin(work: () => Promise<void>): void {
    const { store } = this;
    const begun = work().catch((error: unknown) => {
      if (store === this.store) throw error;
    });
    this.#work.add(begun);
    void begun.finally(() => this.#work.delete(begun)).catch(() => undefined);
  }

  #positionInStream(chain: string): ChainPosition {
    const { messages, streamSequence } = this.stream.get(chain)!;
    return { acknowledged: messages.at(-1)?.at(-1)?.sequence ?? 0, streamSequence };
  }

  #written(chain: string): number {
    const text = this.disk.get(`chain!${chain}`);
    return text === undefined ? 0 : (JSON.parse(text) as ChainPosition).acknowledged;
  }

  /** The books against the disk. */
  checkBooks(): void {
    const { bytes: told, entries, acknowledgedBytes } = this.outbox.statistics();
    assert.deepEqual(this.store.faults, []);
    let [all, waiting, waitingBytes] = [0, 0, 0];
    for (const key of this.disk.keys()) {
      if (!key.startsWith(`${OUTBOX_ENTRIES.name}!`)) continue;
      const entry = parseEntryKey(key.slice(OUTBOX_ENTRIES.name.length + 1));
      all += entry.bytes;
      if (entry.sequence <= this.outbox.position(entry.chain).acknowledged) continue;
      waiting += 1;
      waitingBytes += entry.bytes;
    }
    assert.deepEqual([told, entries, told - acknowledgedBytes], [all, waiting, waitingBytes], 'the books are wrong');
    assert.ok(told < LIMIT || this.outbox.health().state === 'failing', `${told} bytes, and it does not say so`);
  }

  checkStream(): void {
    for (const chain of CHAINS) this.#checkChain(chain);
  }

  #checkChain(chain: string): void {
    const facts = this.stream.get(chain)!.messages.flat();
    const sequences = facts.map(({ sequence }) => sequence);
    assert.deepEqual(
      sequences,
      [...new Set(sequences)].sort((a, b) => a - b),
      'doubled, or out of order',
    );
    const missing = new Map(this.enlisted.get(chain));
    for (const { sequence, changes } of facts) {
      const arrived = changes.filter(({ kind }) => kind !== 'gap').length;
      const left = (missing.get(sequence) ?? 0) - arrived;
      assert.ok(left >= 0, 'more arrived than was enlisted');
      if (left === 0) missing.delete(sequence);
      else missing.set(sequence, left);
    }
    const gaps = facts.flatMap(({ sequence, changes }) =>
      changes.filter((change) => change.kind === 'gap').map((gap) => ({ ...gap, place: sequence })),
    );
    this.#checkGaps(gaps, missing, facts);
    // Of what may be compacted the newest is never lost to compaction: see the test of `compact`.
  }

  #checkGaps(
    gaps: readonly (GapChange & { readonly place: number })[],
    missing: ReadonlyMap<number, number>,
    facts: readonly Told[],
  ): void {
    for (const sequence of missing.keys())
      assert.ok(
        gaps.some(({ from, through }) => from <= sequence && sequence <= through),
        `${sequence} is not named`,
      );
    const lost = [...missing.values()].reduce((sum, count) => sum + count, 0);
    const named = gaps.reduce((sum, { changes }) => sum + changes, 0);
    if (this.isUnsure) assert.ok(named >= lost, `${named} named, ${lost} lost`);
    else assert.equal(named, lost, 'the gaps do not say how many are missing');
    for (const { reason, from, through, place, since, until } of gaps) {
      assert.ok(from <= through && through <= place && since <= until);
      if (reason === 'compacted' || this.isUnsure) continue;
      const within = facts.filter(({ sequence }) => from <= sequence && sequence < through);
      assert.deepEqual(within, [], 'what a gap names has arrived');
    }
  }
}

/** Numbers that are the same for the same seed, so that a failure can be had again. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
