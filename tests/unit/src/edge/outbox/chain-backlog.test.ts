// A chain's bookkeeping against a plain list: whatever the order of commits, announcements, reads, acknowledgements and recounts,
// what is handed out is always the oldest that waits, and in the end everything was handed out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ChainBacklog, type OutboxEntry } from '../../../../../src/edge/outbox/chain-backlog.ts';

const FACT = { device: { namespace: 'a', name: 'b' }, uid: 'u', binding: 1, at: 0, changes: [] };
const entryOf = (sequence: number): OutboxEntry => ({ sequence, incarnation: 'i', fact: FACT });
const READ_LIMIT = 4;

/** The store and the stream, as plain lists, around the backlog under test. */
class Model {
  readonly backlog = new ChainBacklog();
  readonly disk: number[] = [];
  readonly sent = new Set<number>();
  readonly #unannounced: number[] = [];
  readonly #reads: { readonly after: number; readonly found: readonly number[] }[] = [];
  readonly #recounts: { readonly to: number; readonly found: readonly number[]; readonly arrived: number[] }[] = [];
  #time = 0;

  get acknowledged(): number {
    return this.backlog.position.acknowledged;
  }

  get waiting(): number[] {
    return this.disk.filter((sequence) => sequence > this.acknowledged);
  }

  commit(count: number): void {
    for (let n = 0; n < count; n += 1) {
      const sequence = (this.disk.at(-1) ?? 0) + 1;
      this.disk.push(sequence);
      this.#unannounced.push(sequence);
    }
  }

  announce(mayKeep: boolean): void {
    const sequence = this.#unannounced.shift();
    if (sequence !== undefined) this.backlog.append(entryOf(sequence), mayKeep);
  }

  beginRead(): void {
    if (!this.backlog.needsReading) return;
    this.#reads.push({ after: this.acknowledged, found: this.waiting.slice(0, READ_LIMIT) });
  }

  endRead(): void {
    const read = this.#reads.shift();
    if (read !== undefined) this.backlog.fill(read.found.map(entryOf), read.after);
  }

  acknowledge(limit: number): void {
    const newest = this.backlog.oldest(limit).at(-1);
    if (newest === undefined) return;
    for (const { sequence } of this.backlog.oldest(limit)) this.sent.add(sequence);
    this.backlog.acknowledge({ acknowledged: newest.sequence, streamSequence: newest.sequence }, (this.#time += 1));
  }

  /** The stream turns out to stand elsewhere, at something that was sent or, when it lost its tail, before. */
  beginRecount(back: number): void {
    const to = Math.max(0, this.acknowledged - back);
    const arrived = this.backlog.beginRecount();
    this.#recounts.push({ to, found: this.disk.filter((sequence) => sequence > to), arrived });
  }

  endRecount(): void {
    const recount = this.#recounts.shift();
    if (recount === undefined) return;
    const { to, found, arrived } = recount;
    this.backlog.recount({ acknowledged: to, streamSequence: to }, { sequences: found, arrived }, this.#time);
    this.backlog.endRecount(arrived);
  }

  /** What the uplink relies on before it publishes. */
  check(): void {
    const head = this.backlog.oldest(1000).map(({ sequence }) => sequence);
    assert.deepEqual(head, this.waiting.slice(0, head.length), 'the head is not the oldest that waits');
    assert.equal(this.backlog.waiting, this.waiting.length - this.#uncounted, 'the count is wrong');
  }

  /** On disk and waiting, but not announced yet: not in the count, unless a recount saw them on disk. */
  get #uncounted(): number {
    return this.#unannounced.filter((sequence) => sequence > this.#counted).length;
  }

  #counted = 0;

  recountNow(back: number): void {
    this.beginRecount(back);
    this.#counted = Math.max(this.#counted, this.disk.at(-1) ?? 0);
  }

  /** Lets everything under way end, and sends what is left. */
  drain(): void {
    while (this.#recounts.length > 0) this.endRecount();
    while (this.#unannounced.length > 0) this.announce(true);
    while (this.#reads.length > 0) this.endRead();
    for (let rounds = 0; rounds < 1000 && this.waiting.length > 0; rounds += 1) {
      this.beginRead();
      this.endRead();
      this.acknowledge(3);
    }
  }
}

type Step = (model: Model) => void;
const step: fc.Arbitrary<Step> = fc.oneof(
  fc
    .integer({ min: 1, max: 3 })
    .map((count) => Object.assign((m: Model) => m.commit(count), { toString: () => `commit ${count}` })),
  fc.boolean().map((keep) => Object.assign((m: Model) => m.announce(keep), { toString: () => `announce ${keep}` })),
  fc.constant(Object.assign((m: Model) => m.beginRead(), { toString: () => 'begin read' })),
  fc.constant(Object.assign((m: Model) => m.endRead(), { toString: () => 'end read' })),
  fc
    .integer({ min: 1, max: 4 })
    .map((n) => Object.assign((m: Model) => m.acknowledge(n), { toString: () => `ack ${n}` })),
);
const recounting: fc.Arbitrary<Step> = fc.oneof(
  fc
    .nat({ max: 3 })
    .map((back) => Object.assign((m: Model) => m.recountNow(back), { toString: () => `recount ${back}` })),
  fc.constant(Object.assign((m: Model) => m.endRecount(), { toString: () => 'end recount' })),
);

void test('what is handed out is always the oldest that waits, and the count is that of the announced', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const model = new Model();
      for (const one of steps) {
        one(model);
        model.check();
      }
      model.drain();
      assert.deepEqual(model.waiting, []);
      assert.equal(model.backlog.waiting, 0);
      assert.equal(model.backlog.inMemory, 0);
      assert.deepEqual([...model.sent], model.disk);
    }),
    { numRuns: 500 },
  );
});

void test('recounts, also overlapping ones, lose no entry and never let a newer one overtake', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(step, recounting), { maxLength: 60 }), (steps) => {
      const model = new Model();
      for (const one of steps) {
        one(model);
        const head = model.backlog.oldest(1000).map(({ sequence }) => sequence);
        assert.deepEqual(head, model.waiting.slice(0, head.length), 'the head is not the oldest that waits');
      }
      model.drain();
      assert.deepEqual(model.waiting, []);
      assert.deepEqual(
        [...model.sent].toSorted((a, b) => a - b),
        model.disk,
      );
      assert.equal(model.backlog.waiting, 0);
    }),
    { numRuns: 500 },
  );
});

void test('acknowledged entries settle when their time has come, oldest first, once', () => {
  const backlog = new ChainBacklog();
  for (const sequence of [1, 2, 3]) backlog.append(entryOf(sequence), true);
  backlog.acknowledge({ acknowledged: 1, streamSequence: 10 }, 1000);
  backlog.acknowledge({ acknowledged: 3, streamSequence: 12 }, 2000);

  assert.equal(backlog.takeSettled(999), undefined);
  assert.equal(backlog.takeSettled(1500), 1);
  assert.equal(backlog.takeSettled(1500), undefined);
  assert.equal(backlog.takeSettled(2000), 3);
});

void test('what is acknowledged within a second settles together, when the last of it may', () => {
  const backlog = new ChainBacklog();
  for (const sequence of [1, 2, 3]) backlog.append(entryOf(sequence), true);
  backlog.acknowledge({ acknowledged: 1, streamSequence: 10 }, 1000);
  backlog.acknowledge({ acknowledged: 2, streamSequence: 11 }, 1999);
  backlog.acknowledge({ acknowledged: 3, streamSequence: 12 }, 2000);

  assert.equal(backlog.takeSettled(1998), undefined);
  assert.equal(backlog.takeSettled(1999), 2);
  assert.equal(backlog.takeSettled(2000), 3);
});

void test('what the stream is found to have settles only after its full time, for it may have it since a moment', () => {
  const backlog = new ChainBacklog();
  for (const sequence of [1, 2, 3]) backlog.append(entryOf(sequence), true);
  backlog.acknowledge({ acknowledged: 1, streamSequence: 10 }, 100);
  const arrived = backlog.beginRecount();
  backlog.recount({ acknowledged: 2, streamSequence: 11 }, { sequences: [3], arrived }, 9000);

  assert.equal(backlog.takeSettled(8999), 1);
  assert.equal(backlog.takeSettled(9000), 2);
});

void test('what was read before the chain was found to stand elsewhere is not taken for its oldest', () => {
  const backlog = new ChainBacklog();
  for (const sequence of [1, 2, 3, 4]) backlog.append(entryOf(sequence), sequence <= 2);
  backlog.acknowledge({ acknowledged: 2, streamSequence: 2 }, 100);
  assert.equal(backlog.needsReading, true);
  const arrived = backlog.beginRecount();
  backlog.recount({ acknowledged: 1, streamSequence: 1 }, { sequences: [2, 3, 4], arrived }, 200);

  assert.equal(backlog.fill([3, 4].map(entryOf), 2), 'moved');
  assert.deepEqual(backlog.oldest(9), []);
  assert.equal(backlog.fill([2, 3, 4].map(entryOf), 1), 3);
  assert.equal(backlog.waiting, 3);
});

void test('entries that the stream lost wait again and do not settle', () => {
  const backlog = new ChainBacklog();
  for (const sequence of [1, 2, 3]) backlog.append(entryOf(sequence), true);
  backlog.acknowledge({ acknowledged: 3, streamSequence: 12 }, 100);
  const arrived = backlog.beginRecount();
  backlog.recount({ acknowledged: 1, streamSequence: 10 }, { sequences: [2, 3], arrived }, 200);

  assert.equal(backlog.waiting, 2);
  assert.equal(backlog.takeSettled(1000), 1);
  assert.equal(backlog.takeSettled(1000), undefined);
});
