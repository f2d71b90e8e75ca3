// Chains over a server and a link that do everything they may: answers lost, publishes delayed, repeated and outliving their
// connection, messages pushed out by limits, a server that comes back without its last words, an edge that forgets where its
// chains stand. Whatever happened, every fact is in the stream once and in order, but for what the limits pushed out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ChainBacklog, type ChainPosition } from '../../../../../src/edge/outbox/chain-backlog.ts';
import { LinkTime } from '../../../../../src/edge/outbox/link-time.ts';
import type { WeighedEntry } from '../../../../../src/edge/outbox/stored-entry.ts';
import { resume, type LastMessage } from '../../../../../src/edge/uplink/chain.ts';
import { Lineage } from '../../../../../src/model/lineage.ts';

const CHAINS = 2;
const READ_AHEAD = 3;
/** Far more than all that waits needs. */
const MOST_STEPS = 500;
/** As long as JetStream may take by default, what the outbox waits for it, and what it takes to see that the server is gone. */
const SYNC_WITHIN = 120;
const KEEP = 130;
const NOTICED_WITHIN = 9;
const NOWHERE: ChainPosition = { acknowledged: 0, streamSequence: 0 };
const FACT = { device: { namespace: 'a', name: 'b' }, uid: 'u', binding: 1, at: 0, changes: [] };
const LINEAGE = new Lineage([{ incarnation: 'i', from: 0 }], []);

interface Message extends LastMessage {
  readonly chain: number;
  readonly facts: readonly number[];
}

interface Publish {
  readonly chain: number;
  readonly facts: readonly number[];
  readonly expected: number;
  /** Of which the answer is awaited. */
  readonly token: number;
}

interface Receipt {
  readonly sequence: number;
  readonly isDuplicate: boolean;
}

interface Stored {
  readonly messages: readonly Message[];
  readonly last: number;
}

/** JetStream: refuses what does not follow, and answers what it remembers having stored as if it had stored it now. */
class Server {
  #messages: Message[] = [];
  #last = 0;
  #saved: Stored = { messages: [], last: 0 };
  #remembered = new Map<number, number>();
  #unsyncedFor = 0;
  readonly evicted = new Set<number>();

  get messages(): readonly Message[] {
    return this.#messages;
  }

  /** Syncs as late as it may. */
  live(time: number): void {
    this.#unsyncedFor += time;
    if (this.#unsyncedFor >= SYNC_WITHIN) this.sync();
  }

  lastOf(chain: number): Message | undefined {
    return this.#messages.findLast((message) => message.chain === chain);
  }

  take({ chain, facts, expected }: Publish): Receipt | undefined {
    const newest = facts.at(-1) ?? 0;
    const known = this.#remembered.get(newest);
    if (known !== undefined) return { sequence: known, isDuplicate: true };
    if ((this.lastOf(chain)?.sequence ?? 0) !== expected) return undefined;
    const sequence = (this.#last += 1);
    this.#messages.push({ chain, facts, sequence, id: { incarnation: 'i', sequence: newest }, before: [] });
    this.#remembered.set(newest, sequence);
    return { sequence, isDuplicate: false };
  }

  forget(): void {
    this.#remembered.clear();
  }

  evict(count: number): void {
    for (const { facts } of this.#messages.splice(0, count)) for (const fact of facts) this.evicted.add(fact);
  }

  sync(): void {
    this.#unsyncedFor = 0;
    this.#saved = { messages: [...this.#messages], last: this.#last };
  }

  /** Comes back with what it had synced, and remembers what that holds, as JetStream does. */
  loseTail(): void {
    this.#unsyncedFor = 0;
    this.#messages = this.#saved.messages.filter(({ facts }) => !facts.every((fact) => this.evicted.has(fact)));
    this.#last = this.#saved.last;
    this.#remembered = new Map(this.#messages.map(({ id, sequence }) => [id?.sequence ?? 0, sequence]));
  }
}

interface Time {
  now: number;
}

/** One chain at the edge: the backlog under test, and what the uplink does with it, step by step. */
class Chain {
  readonly #chain: number;
  readonly #time: Time;
  #disk: WeighedEntry[] = [];
  #backlog = new ChainBacklog();
  #written = NOWHERE;
  #asked: { readonly last: Message | undefined } | undefined;
  #isPlaced = false;
  #confirmed = 0;
  #awaited: (Publish & { readonly newest: number }) | undefined;
  #linkTime = new LinkTime();

  constructor(chain: number, time: Time) {
    this.#chain = chain;
    this.#time = time;
    this.reconnect();
  }

  enlist(sequence: number): void {
    const entry = { sequence, incarnation: 'i', fact: FACT, bytes: 100, isCompactable: false };
    this.#disk.push(entry);
    this.#backlog.append(entry, sequence % 3 > 0);
  }

  /** A new connection: everything is asked anew. */
  reconnect(): void {
    this.#confirmed = 0;
    this.#askAgain();
    this.#linkTime.begin(this.#time.now, () => this.#isPlaced);
  }

  disconnect(): void {
    this.#askAgain();
    this.#linkTime.end(this.#time.now);
  }

  crash(): void {
    this.#backlog = new ChainBacklog();
    this.#backlog.startAt(this.#written);
    this.#linkTime = new LinkTime();
    for (const entry of this.#disk) this.#backlog.foundOnDisk(entry, this.#linked());
    this.reconnect();
  }

  writePosition(): void {
    this.#written = this.#backlog.position;
  }

  /** Acknowledged a while ago: not kept any longer. */
  settle(): void {
    this.writePosition();
    if (!this.#linkTime.holds('')) return;
    const settled = this.#backlog.takeSettled(this.#linked() - KEEP);
    this.#disk = this.#disk.filter(({ sequence }) => sequence > (settled?.sequence ?? 0));
  }

  #linked(): number {
    return this.#linkTime.at(this.#time.now);
  }

  /** `false` when the chain has nothing to do or waits for an answer. */
  step(server: Server, nextToken: () => number, send: (publish: Publish) => void): boolean {
    if (this.#awaited !== undefined) return false;
    if (!this.#isPlaced) {
      if (this.#asked === undefined) this.#asked = { last: server.lastOf(this.#chain) };
      else this.#place(this.#asked.last);
      return true;
    }
    const facts = this.#oldest(2).map(({ sequence }) => sequence);
    const newest = facts.at(-1);
    if (newest === undefined) return false;
    const publish = {
      ...{ chain: this.#chain, facts, token: nextToken() },
      expected: this.#backlog.position.streamSequence,
    };
    this.#awaited = { ...publish, newest };
    send(publish);
    return true;
  }

  answer(token: number, receipt: Receipt | undefined): void {
    if (this.#awaited?.token !== token) return;
    const { newest } = this.#awaited;
    this.#awaited = undefined;
    if (receipt?.isDuplicate === true) this.#confirmed = newest;
    if (receipt === undefined || receipt.isDuplicate) this.#askAgain();
    else this.#acknowledge({ acknowledged: newest, streamSequence: receipt.sequence });
  }

  timeOut(): void {
    if (this.#awaited !== undefined) this.#askAgain();
  }

  #askAgain(): void {
    this.#isPlaced = false;
    this.#asked = this.#awaited = undefined;
  }

  #place(last: Message | undefined): void {
    const { position } = resume(last, { position: this.#backlog.position, confirmed: this.#confirmed }, LINEAGE);
    this.#recount(position);
    this.#asked = undefined;
    this.#isPlaced = true;
  }

  #acknowledge(position: ChainPosition): void {
    if (!this.#backlog.acknowledge(position, this.#linked())) this.#recount(position);
  }

  #recount(position: ChainPosition): void {
    const recount = this.#backlog.beginRecount(position);
    for (const entry of this.#disk) if (entry.sequence > recount.after) recount.found(entry);
    assert.equal(recount.end(this.#linked()), 'counted');
  }

  #oldest(limit: number): readonly { readonly sequence: number }[] {
    if (this.#backlog.needsReading) {
      const reading = this.#backlog.beginReading();
      reading.end(this.#disk.filter(({ sequence }) => sequence > reading.after).slice(0, READ_AHEAD));
    }
    return this.#backlog.handOut(limit);
  }
}

const OPERATIONS = [
  ...(['enlist', 'enlist', 'enlist', 'step', 'step', 'step', 'step', 'deliver', 'deliver', 'deliver'] as const),
  ...(['repeat', 'lose answer', 'time out', 'reconnect', 'crash', 'write positions', 'settle', 'settle'] as const),
  ...(['forget ids', 'evict', 'sync', 'lose tail', 'stand still', 'go on', 'time', 'time', 'time', 'time'] as const),
] as const;

const step = fc.record({
  operation: fc.constantFrom(...OPERATIONS),
  chain: fc.nat(CHAINS - 1),
  which: fc.nat(3),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class World {
  readonly server = new Server();
  readonly #time: Time = { now: 0 };
  readonly chains = Array.from({ length: CHAINS }, (_, chain) => new Chain(chain, this.#time));
  readonly enlisted: { readonly chain: number; readonly fact: number }[] = [];
  /** Publishes that the server has not read yet, of this connection and of those before it. */
  #underWay: Publish[] = [];
  #tokens = 0;

  do({ operation, chain: at, which }: Step): void {
    const chain = this.chains[at];
    const actions: Record<Step['operation'], () => unknown> = {
      enlist: () => this.#enlist(at),
      step: () => chain !== undefined && this.#step(chain),
      deliver: () => this.#deliver(which, true),
      'lose answer': () => this.#deliver(which, false),
      repeat: () => this.#underWay.push(...this.#underWay.slice(which, which + 1)),
      'time out': () => chain?.timeOut(),
      reconnect: () => this.#each((one) => one.reconnect()),
      crash: () => this.#each((one) => one.crash()),
      'write positions': () => this.#each((one) => one.writePosition()),
      settle: () => this.#each((one) => one.settle()),
      time: () => this.#pass(20 * (which + 1)),
      'forget ids': () => this.server.forget(),
      evict: () => this.server.evict(which),
      sync: () => this.server.sync(),
      'lose tail': () => this.#loseTail(1000 * which),
      'stand still': () => this.#standStill(1000 * which),
      'go on': () => this.#goOn(),
    };
    actions[operation]();
  }

  finish(): void {
    while (this.#underWay.length > 0) this.#deliver(0, true);
    this.#each((one) => one.reconnect());
    this.#goOn();
  }

  #enlist(chain: number): void {
    const fact = this.enlisted.length + 1;
    this.enlisted.push({ chain, fact });
    this.chains[chain]?.enlist(fact);
  }

  #step(chain: Chain): boolean {
    return chain.step(
      this.server,
      () => (this.#tokens += 1),
      (publish) => this.#underWay.push(publish),
    );
  }

  #deliver(which: number, isAnswered: boolean): void {
    const [publish] = this.#underWay.splice(Math.min(which, this.#underWay.length - 1), 1);
    if (publish === undefined) return;
    const receipt = this.server.take(publish);
    if (isAnswered) this.chains[publish.chain]?.answer(publish.token, receipt);
  }

  #pass(time: number): void {
    this.#time.now += time;
    this.server.live(time);
  }

  /** What was under way to the server that died goes with it. It is away for a while, in which edges go on. */
  #loseTail(away: number): void {
    this.#underWay = [];
    this.#time.now += NOTICED_WITHIN;
    this.#each((one) => one.settle());
    this.#each((one) => one.disconnect());
    this.#time.now += away;
    this.#each((one) => one.settle());
    this.server.loseTail();
    this.#each((one) => one.reconnect());
    this.#each((one) => one.settle());
  }

  /** The server is away and comes back with all it had, also what it has not synced. */
  #standStill(away: number): void {
    this.#each((one) => one.disconnect());
    this.#time.now += away;
    this.#each((one) => one.reconnect());
  }

  #goOn(): void {
    for (const chain of this.chains) {
      chain.timeOut();
      let steps = 0;
      while (this.#step(chain)) {
        while (this.#underWay.length > 0) this.#deliver(0, true);
        assert.ok((steps += 1) < MOST_STEPS, 'it goes on for ever');
      }
    }
  }

  #each(act: (chain: Chain) => void): void {
    for (const chain of this.chains) act(chain);
  }
}

void test('whatever server, link and edge do, every fact is in the stream once and in order, but for what limits pushed out', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
      const world = new World();
      for (const one of steps) world.do(one);
      world.finish();

      for (let chain = 0; chain < CHAINS; chain += 1) {
        const stored = world.server.messages.filter((one) => one.chain === chain).flatMap(({ facts }) => facts);
        assert.deepEqual(
          stored,
          [...new Set(stored)].toSorted((a, b) => a - b),
          'doubled, or out of order',
        );
        const lost = world.enlisted.filter(
          (one) => one.chain === chain && !stored.includes(one.fact) && !world.server.evicted.has(one.fact),
        );
        assert.deepEqual(lost, [], 'lost');
      }
    }),
    { numRuns: 10_000 },
  );
});
