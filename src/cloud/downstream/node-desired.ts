// One node's part of the desired bucket: knows what the node should hold and what the bucket holds, and makes the second the
// first: objects, then the index that names them, then the deletion of what the index no longer names.
import { fingerprintOf } from '../../kit/fingerprint.ts';
import type { Logger } from '../../kit/logger.ts';
import type { DesiredBucket, HeldIndex } from './desired-bucket.ts';
import { isMassRemoval, nextIndex, planDesired, type DesiredPlan, type Held, type Wanted } from './desired-diff.ts';

export interface NodeDesiredTools {
  readonly bucket: Pick<DesiredBucket, 'read' | 'readIndex' | 'put' | 'putIndex' | 'remove'>;
  readonly logger: Logger;
  /** How many complete lists of Devices were seen. */
  readonly lists: () => number;
  /** Asks for one more. */
  readonly lookAgain: () => void;
}

/** `held back`: most objects would go, and a second list has not confirmed it yet. `again`: somebody else wrote; read and retry. */
export type ReconcileOutcome = 'done' | 'held back' | 'again';

const READS_AT_ONCE = 64;
/** No bucket sees so many; what a node names beyond would leave no room for the next. */
const MOST_GENERATION = 2 ** 50;
const NOTHING = new Uint8Array();

export class NodeDesired {
  readonly node: string;
  readonly #tools: NodeDesiredTools;
  readonly #wanted = new Map<string, Wanted>();
  readonly #held = new Map<string, Held>();
  /** Of what is held: an index names all of it, and most of it does not change from one to the next. */
  readonly #fingerprints = new WeakMap<Uint8Array, string>();
  #index: HeldIndex | undefined;
  #bucketId = '';
  /** Generation that an index must not be behind; kept when the bucket is read again, which may have lost it. */
  #newest = 0;
  #unread: readonly string[] = [];
  #heldBackAt: number | undefined;
  /** Whatever made the node doubt, what is known of the bucket may not be so. */
  #isDoubted = false;
  /** Where an index above it is there. */
  #askedAbove: number | undefined;

  constructor(node: string, tools: NodeDesiredTools) {
    this.node = node;
    this.#tools = tools;
  }

  /** Of the index that the node should reach; 0 while unknown. */
  get generation(): number {
    return this.#index?.index?.generation ?? 0;
  }

  get isHeldBack(): boolean {
    return this.#heldBackAt !== undefined;
  }

  /**
   * The node holds words that the bucket has lost, or cannot believe what it finds, and waits for an index above this one. False where
   * that is there; but who asks again does not find it, so that the bucket is looked at.
   */
  mustExceed(generation: number): boolean {
    if (generation > MOST_GENERATION) return false;
    const isThere = this.generation > generation && this.#askedAbove !== generation;
    this.#askedAbove = isThere ? generation : undefined;
    if (isThere) return false;
    this.#newest = Math.max(this.#newest, generation + 1);
    this.#isDoubted = true;
    return true;
  }

  want(key: string, wanted: Wanted | undefined): void {
    if (wanted === undefined) this.#wanted.delete(key);
    else this.#wanted.set(key, wanted);
  }

  /** What the bucket holds must be read again: at start, after a lost link, after a conflict. */
  forget(bucketId: string, keys: readonly string[]): void {
    this.#bucketId = bucketId;
    this.#index = undefined;
    this.#unread = keys;
    this.#held.clear();
  }

  /** Rejects with NATS_UNAVAILABLE; what was done until then stays known or is read again. */
  async reconcile(): Promise<ReconcileOutcome> {
    try {
      if (this.#isDoubted) this.#readAgain();
      this.#isDoubted = false;
      const before = (this.#index ??= await this.#read());
      const plan = planDesired(this.#wanted, this.#held);
      if (this.#mustLookAgain(before, plan)) return 'held back';
      const isDone = (await this.#write(plan)) && (await this.#writeIndex(before, plan)) && (await this.#remove(plan));
      if (!isDone) this.#readAgain();
      return isDone ? 'done' : 'again';
    } catch (error) {
      this.#readAgain();
      throw error;
    }
  }

  #readAgain(): void {
    this.forget(this.#bucketId, [...new Set([...this.#held.keys(), ...this.#wanted.keys(), ...this.#unread])]);
  }

  async #read(): Promise<HeldIndex> {
    const index = await this.#tools.bucket.readIndex(this.node);
    const keys = [...new Set([...this.#unread, ...Object.keys(index.index?.keys ?? {})])];
    for (let from = 0; from < keys.length; from += READS_AT_ONCE) {
      await Promise.all(keys.slice(from, from + READS_AT_ONCE).map((key) => this.#readKey(key)));
    }
    this.#unread = [];
    this.#newest = Math.max(this.#newest, index.index?.generation ?? 0);
    return index;
  }

  async #readKey(key: string): Promise<void> {
    const held = await this.#tools.bucket.read(key);
    if (held !== undefined) this.#held.set(key, held);
  }

  #mustLookAgain(before: HeldIndex, plan: DesiredPlan): boolean {
    const lists = this.#tools.lists();
    const isUnconfirmed = isMassRemoval(before.index, plan.keys) && (this.#heldBackAt ?? lists) >= lists;
    if (!isUnconfirmed) {
      this.#heldBackAt = undefined;
      return false;
    }
    if (this.#heldBackAt === undefined) {
      this.#heldBackAt = lists;
      this.#tools.logger.warn(
        { edge: this.node, keys: plan.keys.length },
        'most objects of this node would be removed at once; held back until a second complete list agrees',
      );
      this.#tools.lookAgain();
    }
    return true;
  }

  async #write(plan: DesiredPlan): Promise<boolean> {
    for (let from = 0; from < plan.puts.length; from += READS_AT_ONCE) {
      const puts = plan.puts.slice(from, from + READS_AT_ONCE);
      const revisions = await Promise.all(puts.map((put) => this.#tools.bucket.put(put)));
      for (const [place, { key, bytes }] of puts.entries()) {
        const revision = revisions[place];
        if (typeof revision === 'number') this.#held.set(key, { revision, bytes });
      }
      if (revisions.includes('conflict')) return false;
    }
    return true;
  }

  async #writeIndex(before: HeldIndex, plan: DesiredPlan): Promise<boolean> {
    const fingerprints = new Map(plan.keys.map((key) => [key, this.#fingerprint(key)]));
    const index = nextIndex(this.#bucketId, fingerprints, before.index, this.#newest);
    if (index === 'unchanged') return true;
    const revision = await this.#tools.bucket.putIndex(this.node, index, before.revision);
    if (revision === 'conflict') return false;
    this.#index = { revision, index };
    this.#newest = index.generation;
    this.#tools.logger.debug(
      { edge: this.node, generation: index.generation, keys: plan.keys.length },
      'desired index',
    );
    return true;
  }

  #fingerprint(key: string): string {
    const bytes = this.#held.get(key)?.bytes ?? NOTHING;
    const known = this.#fingerprints.get(bytes) ?? fingerprintOf(bytes);
    this.#fingerprints.set(bytes, known);
    return known;
  }

  async #remove(plan: DesiredPlan): Promise<boolean> {
    for (const key of plan.removals) {
      const revision = await this.#tools.bucket.remove(key, this.#held.get(key)?.revision ?? 0);
      if (revision === 'conflict') return false;
      this.#held.set(key, { revision, bytes: undefined });
    }
    return true;
  }
}
