// A chain's bookkeeping against a plain list: whatever the order of commits, announcements, reads, acknowledgements and recounts,
// what is handed out is always the oldest that waits, and in the end everything was handed out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ChainBacklog, type Reading } from '../../../../../src/edge/outbox/chain-backlog.ts';
import type { Recount } from '../../../../../src/edge/outbox/recount.ts';
import type { WeighedEntry } from '../../../../../src/edge/outbox/stored-entry.ts';

const FACT = { device: { namespace: 'a', name: 'b' }, uid: 'u', binding: 1, at: 0, changes: [] };
/** Every entry weighs something else, so that no wrong sum comes out right by chance. */
const entryOf = (sequence: number): WeighedEntry => ({
  ...{ sequence, incarnation: 'i', fact: FACT },
  bytes: 100 + ((sequence * 37) % 61),
  isCompactable: false,
});
const READ_LIMIT = 4;

const bytesOf = (sequences: readonly number[]): number =>
  sequences.reduce((sum, sequence) => sum + entryOf(sequence).bytes, 0);

/** The store and the stream, as plain lists, around the backlog under test. */
class Model {
  readonly memory = { entries: 0, bytes: 0 };
  readonly backlog = new ChainBacklog(this.memory);
  readonly disk: number[] = [];
  readonly sent = new Set<number>();
  readonly #unannounced: number[] = [];
  readonly #reads: { readonly reading: Reading; readonly found: readonly number[] }[] = [];
  #recount: { readonly to: number; readonly recount: Recount; readonly found: readonly number[] } | undefined;
  /** Acknowledgements that the books could not follow: a recount is due. */
  #isDue = false;
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
    const reading = this.backlog.beginReading();
    this.#reads.push({ reading, found: this.waiting.slice(0, READ_LIMIT) });
  }

  endRead(): void {
    const read = this.#reads.shift();
    read?.reading.end(read.found.map(entryOf));
  }

  acknowledge(limit: number): void {
    const entries = this.backlog.handOut(limit);
    const newest = entries.at(-1);
    if (newest === undefined) return;
    for (const { sequence } of entries) this.sent.add(sequence);
    const position = { acknowledged: newest.sequence, streamSequence: newest.sequence };
    if (!this.backlog.acknowledge(position, (this.#time += 1))) this.#isDue = true;
  }

  /** The stream turns out to stand elsewhere, at something that was sent or, when it lost its tail, before. */
  beginRecount(back: number): void {
    if (this.#recount !== undefined) return;
    const to = Math.max(0, this.acknowledged - back);
    const recount = this.backlog.beginRecount({ acknowledged: to, streamSequence: to });
    this.#recount = { to, recount, found: this.disk.filter((sequence) => sequence > recount.after) };
  }

  endRecount(): void {
    const recounting = this.#recount;
    if (recounting === undefined) return;
    this.#recount = undefined;
    for (const sequence of recounting.found) recounting.recount.found(entryOf(sequence));
    if (recounting.recount.end(this.#time) === 'counted') {
      this.#isDue = false;
      this.#counted = Math.max(this.#counted, recounting.found.at(-1) ?? 0);
    }
  }

  /** What the uplink relies on before it publishes. */
  check(): void {
    const head = this.backlog.handOut(1000).map(({ sequence }) => sequence);
    assert.deepEqual(head, this.waiting.slice(0, head.length), 'the head is not the oldest that waits');
    const oldest = this.waiting[0];
    if (oldest !== undefined && this.backlog.waiting > 0)
      assert.ok(this.backlog.oldestSequence <= oldest, 'an older one waits');
    if (this.#isDue) return;
    // On disk but not announced yet: not in the count, unless a recount saw them there.
    const uncounted = this.#unannounced.filter((sequence) => sequence > this.#counted);
    assert.equal(this.backlog.waiting, this.waiting.length - uncounted.length, 'the count is wrong');
    assert.equal(this.backlog.waitingBytes, bytesOf(this.waiting) - bytesOf(uncounted), 'the weight is wrong');
    const acknowledged = this.disk.filter((sequence) => sequence <= this.acknowledged);
    assert.equal(this.backlog.acknowledgedBytes, bytesOf(acknowledged), 'the weight of the acknowledged is wrong');
    const inMemory = this.backlog.handOut(1000).map(({ sequence }) => sequence);
    assert.deepEqual(this.memory, { entries: inMemory.length, bytes: bytesOf(inMemory) }, 'the memory is wrong');
  }

  #counted = 0;

  /** Lets everything under way end, and sends what is left. */
  drain(): void {
    this.endRecount();
    if (this.#isDue) this.beginRecount(0);
    this.endRecount();
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
    .map((back) => Object.assign((m: Model) => m.beginRecount(back), { toString: () => `recount ${back}` })),
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

void test('recounts, whatever happens meanwhile, lose no entry, keep the books and never let a newer one overtake', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(step, recounting), { maxLength: 60 }), (steps) => {
      const model = new Model();
      for (const one of steps) {
        one(model);
        model.check();
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

interface Found {
  readonly to: number;
  readonly found: readonly number[];
  readonly at: number;
}

function recount(backlog: ChainBacklog, { to, found, at }: Found): void {
  const recounting = backlog.beginRecount({ acknowledged: to, streamSequence: to });
  for (const sequence of found) recounting.found(entryOf(sequence));
  assert.equal(recounting.end(at), 'counted');
}

void test('acknowledged entries settle when their time has come, oldest first, once', () => {
  const backlog = new ChainBacklog();
  for (const sequence of [1, 2, 3]) backlog.append(entryOf(sequence), true);
  backlog.acknowledge({ acknowledged: 1, streamSequence: 10 }, 1000);
  backlog.acknowledge({ acknowledged: 3, streamSequence: 12 }, 2000);

  assert.equal(backlog.takeSettled(999), undefined);
  assert.equal(backlog.takeSettled(1500)?.sequence, 1);
  assert.equal(backlog.takeSettled(1500), undefined);
  assert.equal(backlog.takeSettled(2000)?.sequence, 3);
});

void test('what is acknowledged within a second settles together, when the last of it may', () => {
  const backlog = new ChainBacklog();
  for (const sequence of [1, 2, 3]) backlog.append(entryOf(sequence), true);
  backlog.acknowledge({ acknowledged: 1, streamSequence: 10 }, 1000);
  backlog.acknowledge({ acknowledged: 2, streamSequence: 11 }, 1999);
  backlog.acknowledge({ acknowledged: 3, streamSequence: 12 }, 2000);

  assert.equal(backlog.takeSettled(1998), undefined);
  assert.equal(backlog.takeSettled(1999)?.sequence, 2);
  assert.equal(backlog.takeSettled(2000)?.sequence, 3);
});

void test('what the stream is found to have settles only after its full time, for it may have it since a moment', () => {
  const backlog = new ChainBacklog();
  for (const sequence of [1, 2, 3]) backlog.append(entryOf(sequence), true);
  backlog.acknowledge({ acknowledged: 1, streamSequence: 10 }, 100);
  recount(backlog, { to: 2, found: [2, 3], at: 9000 });

  assert.deepEqual(backlog.takeSettled(8999), { sequence: 1, since: 100, at: 100, bytes: entryOf(1).bytes });
  assert.deepEqual(backlog.takeSettled(9000), { sequence: 2, since: 9000, at: 9000, bytes: entryOf(2).bytes });
});

void test('what was read before the chain was found to stand elsewhere is not taken for its oldest', () => {
  const backlog = new ChainBacklog();
  for (const sequence of [1, 2, 3, 4]) backlog.append(entryOf(sequence), sequence <= 2);
  backlog.acknowledge({ acknowledged: 2, streamSequence: 2 }, 100);
  assert.equal(backlog.needsReading, true);
  const reading = backlog.beginReading();
  recount(backlog, { to: 1, found: [2, 3, 4], at: 200 });

  assert.equal(reading.end([3, 4].map(entryOf)), 'changed');
  assert.deepEqual(backlog.handOut(9), []);
  assert.equal(backlog.beginReading().end([2, 3, 4].map(entryOf)), 'filled');
  assert.equal(backlog.handOut(9).length, 3);
  assert.equal(backlog.waiting, 3);
});

void test('entries that the stream lost wait again and do not settle', () => {
  const backlog = new ChainBacklog();
  for (const sequence of [1, 2, 3]) backlog.append(entryOf(sequence), true);
  backlog.acknowledge({ acknowledged: 3, streamSequence: 12 }, 100);
  recount(backlog, { to: 1, found: [2, 3], at: 200 });

  assert.equal(backlog.waiting, 2);
  assert.equal(backlog.takeSettled(1000)?.bytes, entryOf(1).bytes);
  assert.equal(backlog.takeSettled(1000), undefined);
});

void test('what arrives while entries are changed on disk is read from there, and not handed out as it was', () => {
  const backlog = new ChainBacklog();
  backlog.append(entryOf(1), true);
  backlog.handOut(1);

  backlog.beginRevision();
  for (const sequence of [2, 3]) backlog.append(entryOf(sequence), true);
  backlog.revised({ entries: 1, bytes: bytesOf([2]), oldest: undefined });
  backlog.endRevision();
  backlog.acknowledge({ acknowledged: 1, streamSequence: 1 }, 0);

  assert.deepEqual(backlog.handOut(9), []);
  assert.deepEqual([backlog.waiting, backlog.needsReading], [1, true]);
});
