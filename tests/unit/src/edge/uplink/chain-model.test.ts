// Chains over a server and a link that do everything they may: answers lost, publishes delayed, repeated and outliving their
// connection, messages pushed out by limits, a server that comes back without its last words, an edge that forgets where its
// chains stand. Whatever happened, every fact is in the stream once and in order, but for what the limits pushed out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ChainBacklog, type ChainPosition } from '../../../../../src/edge/outbox/chain-backlog.ts';
import type { WeighedEntry } from '../../../../../src/edge/outbox/stored-entry.ts';
import { resume, type LastMessage } from '../../../../../src/edge/uplink/chain.ts';
import { Lineage } from '../../../../../src/model/lineage.ts';

const CHAINS = 2;
const READ_AHEAD = 3;
/** Far more than all that waits needs. */
const MOST_STEPS = 500;
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
  readonly evicted = new Set<number>();

  get messages(): readonly Message[] {
    return this.#messages;
  }

  /** What no crash takes away any more. */
  get synced(): readonly number[] {
    return this.#saved.messages.flatMap(({ facts }) => facts);
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
    this.#saved = { messages: [...this.#messages], last: this.#last };
  }

  /** Comes back with what it had synced, and remembers what that holds, as JetStream does. */
  loseTail(): void {
    this.#messages = this.#saved.messages.filter(({ facts }) => !facts.every((fact) => this.evicted.has(fact)));
    this.#last = this.#saved.last;
    this.#remembered = new Map(this.#messages.map(({ id, sequence }) => [id?.sequence ?? 0, sequence]));
  }
}

/** One chain at the edge: the backlog under test, and what the uplink does with it, step by step. */
class Chain {
  readonly #chain: number;
  #disk: WeighedEntry[] = [];
  #backlog = new ChainBacklog();
  #written = NOWHERE;
  #asked: { readonly last: Message | undefined } | undefined;
  #isPlaced = false;
  #confirmed = 0;
  #awaited: (Publish & { readonly newest: number }) | undefined;

  constructor(chain: number) {
    this.#chain = chain;
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
  }

  crash(): void {
    this.#backlog = new ChainBacklog();
    this.#backlog.startAt(this.#written);
    for (const entry of this.#disk) this.#backlog.foundOnDisk(entry, 0);
    this.reconnect();
  }

  writePosition(): void {
    this.#written = this.#backlog.position;
  }

  /** Acknowledged a while ago, and safe at the server since: not kept any longer. */
  settle(safe: ReadonlySet<number>): void {
    this.writePosition();
    const { acknowledged } = this.#backlog.position;
    const kept = this.#disk.findIndex(({ sequence }) => sequence > acknowledged || !safe.has(sequence));
    this.#disk = kept === -1 ? [] : this.#disk.slice(kept);
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
    if (!this.#backlog.acknowledge(position, 0)) this.#recount(position);
  }

  #recount(position: ChainPosition): void {
    const recount = this.#backlog.beginRecount(position);
    for (const entry of this.#disk) if (entry.sequence > recount.after) recount.found(entry);
    assert.equal(recount.end(0), 'counted');
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
  ...(['repeat', 'lose answer', 'time out', 'reconnect', 'crash', 'write positions', 'settle'] as const),
  ...(['forget ids', 'evict', 'sync', 'lose tail', 'go on'] as const),
] as const;

const step = fc.record({
  operation: fc.constantFrom(...OPERATIONS),
  chain: fc.nat(CHAINS - 1),
  which: fc.nat(3),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class World {
  readonly server = new Server();
  readonly chains = Array.from({ length: CHAINS }, (_, chain) => new Chain(chain));
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
      settle: () => this.#settle(),
      'forget ids': () => this.server.forget(),
      evict: () => this.server.evict(which),
      sync: () => this.server.sync(),
      'lose tail': () => this.#loseTail(),
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

  #settle(): void {
    const safe = new Set(this.server.synced);
    this.#each((one) => one.settle(safe));
  }

  /** What was under way to the server that died goes with it. */
  #loseTail(): void {
    this.#underWay = [];
    this.server.loseTail();
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
