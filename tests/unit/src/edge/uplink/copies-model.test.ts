// Disks that are copied, restored from older copies and run at once, over one stream: a model with random histories. Whatever
// happened, once a person has let each of them go on, every fact of each is in the stream once and in order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ChainPosition } from '../../../../../src/edge/outbox/chain-backlog.ts';
import type { StoreIdentity } from '../../../../../src/edge/store/store-identity.ts';
import { isForeign, resume, type LastMessage } from '../../../../../src/edge/uplink/chain.ts';
import { decideClaim, lineageOf, nextTerm } from '../../../../../src/edge/uplink/claim.ts';
import { afterOf, Lineage } from '../../../../../src/model/lineage.ts';
import type { Claim } from '../../../../../src/wire/node-reports.ts';

const CHAINS = 2;
const MOST_LINES = 4;
const NOWHERE: ChainPosition = { acknowledged: 0, streamSequence: 0 };

interface Entry {
  readonly chain: number;
  readonly sequence: number;
  readonly incarnation: string;
  /** Named once in the whole history. */
  readonly fact: string;
}

interface Disk {
  readonly identity: StoreIdentity;
  readonly count: number;
  readonly entries: readonly Entry[];
  /** Everything that this disk and those that it is a copy of ever enlisted. */
  readonly written: readonly Entry[];
  readonly positions: readonly ChainPosition[];
}

interface Message extends LastMessage {
  readonly chain: number;
  readonly facts: readonly string[];
}

interface Publish extends Omit<Message, 'sequence'> {
  readonly expected: number;
}

/** The server: refuses what does not follow the message that its publisher knew. */
class Stream {
  readonly messages: Message[] = [];
  claim: { readonly claim: Claim; readonly revision: number } | undefined;

  last(chain: number): Message | undefined {
    return this.messages.findLast((message) => message.chain === chain);
  }

  take({ expected, ...message }: Publish): number | undefined {
    if ((this.last(message.chain)?.sequence ?? 0) !== expected) return undefined;
    const sequence = this.messages.length + 1;
    this.messages.push({ ...message, sequence });
    return sequence;
  }
}

interface Session {
  readonly revision: number;
  readonly lineage: Lineage;
  readonly before: Map<number, LastMessage['before']>;
}

let names = 0;
const newName = (): string => `n${(names += 1)}`;

/** One disk, and the process that may run on it. */
class Line {
  disk: Disk;
  saved: Disk | undefined;
  #positions: ChainPosition[] | undefined;
  #session: Session | undefined;
  readonly #stream: Stream;

  constructor(stream: Stream, disk: Disk) {
    this.#stream = stream;
    this.disk = disk;
  }

  static fresh(stream: Stream): Line {
    const identity = {
      storeId: newName(),
      incarnation: '',
      starts: [],
      others: [],
      term: 0,
      terms: [],
      mayTakeOver: false,
    };
    const positions = Array.from({ length: CHAINS }, () => NOWHERE);
    return new Line(stream, { identity, count: 0, entries: [], written: [], positions });
  }

  /** With `mayTakeOver` after a person repaired it. */
  start(mayTakeOver = this.disk.identity.mayTakeOver): void {
    const incarnation = newName();
    const { identity, count } = this.disk;
    const start = { incarnation, from: count, ...afterOf(identity.starts.at(-1)?.incarnation) };
    this.disk = {
      ...this.disk,
      identity: { ...identity, incarnation, starts: [...identity.starts, start], mayTakeOver },
    };
    this.#positions = [...this.disk.positions];
    this.#session = undefined;
  }

  stop(): void {
    this.sweep(false);
    this.crash();
  }

  crash(): void {
    this.#positions = this.#session = undefined;
  }

  /** Writes down where the chains stand; and forgets what was acknowledged a while ago. */
  sweep(forgets: boolean): void {
    const positions = this.#positions;
    if (positions === undefined) return;
    const isHeld = ({ chain, sequence }: Entry): boolean => sequence > (positions[chain]?.acknowledged ?? 0);
    const entries = forgets ? this.disk.entries.filter(isHeld) : this.disk.entries;
    this.disk = { ...this.disk, positions: [...positions], entries };
  }

  enlist(chain: number): void {
    if (this.#positions === undefined) return;
    const count = this.disk.count + 1;
    const entry = { chain, sequence: count, incarnation: this.disk.identity.incarnation, fact: newName() };
    this.disk = {
      ...this.disk,
      count,
      entries: [...this.disk.entries, entry],
      written: [...this.disk.written, entry],
    };
  }

  restore(): void {
    if (this.saved === undefined) return;
    this.crash();
    this.disk = this.saved;
  }

  claim(): void {
    if (this.#positions === undefined) return;
    const own = this.disk.identity;
    const known = this.#stream.claim;
    const others = lineageOf(own).othersWith(own.others, known?.claim.starts ?? []);
    const decision = known === undefined ? 'take' : decideClaim(known.claim, own);
    this.#keep({ others });
    this.#session = undefined;
    if (decision === 'diverged') return;
    const { storeId, incarnation } = own;
    const lineage = new Lineage(own.starts, others);
    const term = decision === 'hold' ? own.term : nextTerm(known?.claim, own.term) + (known === undefined ? 1 : 0);
    const revision = (known?.revision ?? 0) + (decision === 'hold' ? 0 : 1);
    this.#stream.claim = { claim: { storeId, incarnation, term, starts: lineage.told() }, revision };
    this.#keep({ term, mayTakeOver: false });
    this.#session = { revision, lineage, before: new Map() };
  }

  /** One step of a chain. `false` when there is nothing to do, or nothing may be done. */
  step(chain: number, most: number, send: (publish: Publish) => number | undefined): boolean {
    const session = this.#session;
    const positions = this.#positions;
    if (session === undefined || positions === undefined) return false;
    const before = session.before.get(chain);
    if (before === undefined) return this.#place(chain, session, positions);
    const position = positions[chain] ?? NOWHERE;
    const waiting = this.disk.entries.filter((one) => one.chain === chain && one.sequence > position.acknowledged);
    const batch = waiting.slice(0, most);
    const id = batch.at(-1);
    if (id === undefined) return false;
    const facts = batch.map(({ fact }) => fact);
    const stored = send({ chain, id, before, facts, expected: position.streamSequence });
    if (stored === undefined) session.before.delete(chain);
    else positions[chain] = { acknowledged: id.sequence, streamSequence: stored };
    return true;
  }

  #place(chain: number, session: Session, positions: ChainPosition[]): boolean {
    const last = this.#stream.last(chain);
    if (isForeign(last, session.lineage) && this.#stream.claim?.revision !== session.revision) {
      this.#session = undefined;
      return false;
    }
    const { position, before } = resume(last, { position: positions[chain] ?? NOWHERE, confirmed: 0 }, session.lineage);
    positions[chain] = position;
    session.before.set(chain, before);
    return true;
  }

  #keep(learned: Partial<StoreIdentity>): void {
    this.disk = { ...this.disk, identity: { ...this.disk.identity, ...learned } };
  }
}

const OPERATIONS = [
  ...(['start', 'stop', 'crash', 'sweep', 'forget', 'copy', 'save', 'restore', 'claim', 'repair'] as const),
  ...([
    'enlist',
    'enlist',
    'enlist',
    'publish',
    'publish',
    'publish',
    'lose answer',
    'delay',
    'deliver',
    'drain',
  ] as const),
] as const;

const step = fc.record({
  operation: fc.constantFrom(...OPERATIONS),
  line: fc.nat(MOST_LINES - 1),
  chain: fc.nat(CHAINS - 1),
  most: fc.integer({ min: 1, max: 3 }),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class World {
  readonly stream = new Stream();
  readonly lines = [Line.fresh(this.stream)];
  readonly #delayed: Publish[] = [];

  do({ operation, line: at, chain, most }: Step): void {
    const line = this.lines[at % this.lines.length];
    if (line === undefined) return;
    const actions: Record<Step['operation'], () => unknown> = {
      start: () => line.start(),
      stop: () => line.stop(),
      crash: () => line.crash(),
      sweep: () => line.sweep(false),
      forget: () => line.sweep(true),
      copy: () => this.lines.length < MOST_LINES && this.lines.push(new Line(this.stream, line.disk)),
      save: () => (line.saved = line.disk),
      restore: () => line.restore(),
      claim: () => line.claim(),
      repair: () => this.#repair(line),
      enlist: () => line.enlist(chain),
      publish: () => line.step(chain, most, (publish) => this.stream.take(publish)),
      'lose answer': () =>
        line.step(chain, most, (publish) => {
          this.stream.take(publish);
          return undefined;
        }),
      delay: () =>
        line.step(chain, most, (publish) => {
          this.#delayed.push(publish);
          return undefined;
        }),
      deliver: () => this.#delayed.splice(0, most).map((publish) => this.stream.take(publish)),
      drain: () => this.#drain(line),
    };
    actions[operation]();
  }

  /** Each in turn goes on and hands over all it has; what was under way all the while arrives last. */
  finish(): void {
    for (const line of this.lines) {
      this.#repair(line);
      this.#drain(line);
    }
    for (const publish of this.#delayed) this.stream.take(publish);
  }

  #repair(line: Line): void {
    line.start(true);
    line.claim();
  }

  #drain(line: Line): void {
    for (let chain = 0; chain < CHAINS; chain += 1) while (line.step(chain, 3, (publish) => this.stream.take(publish)));
  }
}

void test('copies of one disk, restored, run at once and repaired, have every fact of each in the stream once and in order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const world = new World();
      world.lines[0]?.start();
      world.lines[0]?.claim();
      for (const one of steps) world.do(one);
      world.finish();

      for (let chain = 0; chain < CHAINS; chain += 1) {
        const stored = world.stream.messages.filter((message) => message.chain === chain).flatMap(({ facts }) => facts);
        assert.equal(new Set(stored).size, stored.length, 'doubled');
        const places = new Map(stored.map((fact, place) => [fact, place]));
        for (const { disk } of world.lines) {
          const inOrder = disk.written
            .filter((entry) => entry.chain === chain)
            .map(({ fact }) => places.get(fact) ?? -1);
          assert.ok(!inOrder.includes(-1), 'lost');
          assert.deepEqual(
            inOrder,
            inOrder.toSorted((a, b) => a - b),
            'out of order',
          );
        }
      }
    }),
    { numRuns: 10_000 },
  );
});
