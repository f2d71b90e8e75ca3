// The lease as a model: hubs whose clocks begin anywhere and run at different speeds, requests and answers that take their time or
// arrive after the asker gave up, processes that stop for a while, die and come back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  LEASE_TIMES,
  leadsFor,
  nextMove,
  seenAgain,
  type SeenLease,
} from '../../../../../src/cloud/kubernetes/lease-rules.ts';

const T = LEASE_TIMES;
const PATIENCE = 2000;
const UNTIL = 120_000;

interface Hub {
  readonly id: string;
  readonly rate: number;
  readonly offset: number;
  /** Counts its lives: what an earlier one asked is nobody's. */
  life: number;
  seen: SeenLease | undefined;
  renewedAt: number | undefined;
  /** That it waits for an answer to. */
  question: symbol | undefined;
}

interface Reign {
  readonly hub: string;
  readonly from: number;
  readonly to: number;
}

class Model {
  readonly reigns: Reign[] = [];
  readonly #queue: { readonly at: number; readonly run: () => void }[] = [];
  readonly #random: () => number;
  #lease: { readonly holder: string; readonly mark: string } | undefined;
  #marks = 0;
  #now = 0;

  constructor(hubs: readonly Hub[], random: () => number) {
    this.#random = random;
    for (const hub of hubs) this.#after(random() * 3000, () => this.#step(hub));
  }

  run(): void {
    while (this.#now < UNTIL) {
      this.#queue.sort((a, b) => a.at - b.at);
      const next = this.#queue.shift();
      if (next === undefined) return;
      this.#now = next.at;
      next.run();
    }
  }

  #after(wait: number, run: () => void): void {
    this.#queue.push({ at: this.#now + Math.max(0, wait), run });
  }

  readonly #local = (hub: Hub): number => hub.offset + hub.rate * this.#now;

  #next(hub: Hub, wait: number): void {
    const { life } = hub;
    const fate = this.#random();
    if (fate < 0.03) this.#dies(hub);
    else
      this.#after(
        wait / hub.rate + (fate < 0.1 ? this.#random() * 20_000 : 0),
        () => hub.life === life && this.#step(hub),
      );
  }

  #dies(hub: Hub): void {
    hub.life += 1;
    // Its reign lasts as long as it would have believed itself to lead: dead hands may still be writing.
    hub.renewedAt = undefined;
    hub.seen = undefined;
    hub.question = undefined;
    this.#after(this.#random() * 15_000, () => this.#step(hub));
  }

  #step(hub: Hub): void {
    if (hub.renewedAt !== undefined && leadsFor(hub.renewedAt, T, this.#local(hub)) <= 0) {
      this.#dies(hub);
      return;
    }
    if (hub.renewedAt !== undefined && hub.seen !== undefined) this.#write(hub);
    else
      this.#ask(
        hub,
        () => this.#lease,
        (found) => this.#looked(hub, found),
      );
  }

  #looked(hub: Hub, found: { readonly holder: string; readonly mark: string } | undefined): void {
    const now = this.#local(hub);
    hub.seen = found === undefined ? undefined : seenAgain(hub.seen, { ...found, duration: T.duration }, now);
    const move = nextMove(hub.id, hub.seen, now);
    if (typeof move !== 'object') this.#write(hub);
    else if (hub.renewedAt !== undefined) this.#dies(hub);
    else this.#next(hub, Math.min(move.wait, T.lookEvery));
  }

  #write(hub: Hub): void {
    const sentAt = this.#local(hub);
    const over = hub.seen?.mark;
    const apply = (): string | undefined => {
      if (this.#lease?.mark !== over) return undefined;
      this.#marks += 1;
      this.#lease = { holder: hub.id, mark: String(this.#marks) };
      return this.#lease.mark;
    };
    this.#ask(hub, apply, (mark) => {
      hub.seen =
        mark === undefined ? undefined : { holder: hub.id, mark, duration: T.duration, since: this.#local(hub) };
      if (mark === undefined) {
        this.#next(hub, 0);
        return;
      }
      hub.renewedAt = sentAt;
      this.reigns.push({ hub: hub.id, from: this.#now, to: (sentAt + T.giveUpAfter - hub.offset) / hub.rate });
      this.#next(hub, T.renewEvery);
    });
  }

  /** The server does what it was asked when the request arrives, also when nobody waits for the answer any more. */
  #ask<A>(hub: Hub, atServer: () => A, answered: (answer: A) => void): void {
    const question = Symbol('question');
    hub.question = question;
    const only = (run: () => void) => (): void => {
      if (hub.question !== question) return;
      hub.question = undefined;
      run();
    };
    const slow = (): number => this.#random() ** 10 * 8000;
    this.#after(slow(), () => {
      const answer = atServer();
      this.#after(
        slow(),
        only(() => answered(answer)),
      );
    });
    this.#after(
      PATIENCE / hub.rate,
      only(() => this.#next(hub, T.lookEvery)),
    );
  }
}

/** Two different hubs that both lead at some moment. */
function rivalry(reigns: readonly Reign[]): readonly Reign[] | undefined {
  for (const one of reigns) {
    const other = reigns.find(({ hub, from, to }) => hub !== one.hub && from < one.to && one.from < to && from < to);
    if (other !== undefined && one.from < one.to) return [one, other];
  }
  return undefined;
}

function modelOf(rates: readonly number[], seed: number): Model {
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const hubs = rates.map((rate, n): Hub => {
    return {
      id: `hub-${n}`,
      rate,
      offset: random() * 1e9,
      life: 0,
      seen: undefined,
      renewedAt: undefined,
      question: undefined,
    };
  });
  const model = new Model(hubs, random);
  model.run();
  return model;
}

void test('two hubs never lead at once, however their clocks stand and however late requests and answers come', () => {
  const rate = fc.double({ min: 0.9, max: 1.1, noNaN: true });
  fc.assert(
    fc.property(fc.array(rate, { minLength: 2, maxLength: 4 }), fc.nat(2 ** 31), (rates, seed) => {
      assert.equal(rivalry(modelOf(rates, seed).reigns), undefined);
    }),
    { numRuns: 1500 },
  );
});

void test('somebody leads most of the time, and the model does find rivals where clocks run too differently', () => {
  const seeds = Array.from({ length: 200 }, (_, seed) => seed * 7919);
  const renewals = seeds.map((seed) => modelOf([1, 1, 1], seed).reigns.length);
  const mean = renewals.reduce((sum, each) => sum + each, 0) / seeds.length;
  const rivals = seeds.filter((seed) => rivalry(modelOf([0.5, 2, 2], seed).reigns) !== undefined);

  assert.ok(mean > UNTIL / T.renewEvery / 3, `${mean} renewals`);
  assert.ok(rivals.length > 0);
});

void test('a lease is taken when it is released, is one’s own, or was seen unchanged for its whole time, and not before', () => {
  const seen = { holder: 'other', duration: T.duration, mark: '1', since: 1000 };

  assert.equal(nextMove('me', undefined, 0), 'create');
  assert.equal(nextMove('me', { ...seen, holder: '' }, 1000), 'write');
  assert.equal(nextMove('me', { ...seen, holder: 'me' }, 1000), 'write');
  assert.deepEqual(nextMove('me', seen, 1000 + T.duration - 1), { wait: 1 });
  assert.equal(nextMove('me', seen, 1000 + T.duration), 'write');
});

void test('a lease that was written meanwhile begins its time anew', () => {
  const first = seenAgain(undefined, { holder: 'other', duration: T.duration, mark: '1' }, 10);

  assert.equal(seenAgain(first, { ...first }, 500).since, 10);
  assert.equal(seenAgain(first, { ...first, mark: '2' }, 500).since, 500);
});

void test('a leader gives up before anybody takes over, with time to end what is under way', () => {
  assert.ok(T.giveUpAfter + 2500 < T.duration);
  assert.equal(leadsFor(1000, T, 1000), T.giveUpAfter);
  assert.equal(leadsFor(1000, T, 1000 + T.giveUpAfter), 0);
});
