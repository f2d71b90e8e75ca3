// Who vouches for which device, and what follows when nobody does: cases, then random histories against a plain model.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Departure } from '../../../../../broker/index.ts';
import { PresenceBook } from '../../../../../src/edge/ingress/presence-book.ts';
import { ms } from '../../../../../src/kit/units.ts';
import type { DeviceDefinition } from '../../../../../src/model/device.ts';
import { applyObservation, applyState } from '../../../../../src/model/state-rules.ts';
import { emptyTwin, type Twin } from '../../../../../src/model/twin.ts';

const GRACE = 5;
const START_GRACE = 30;
const STALE = 20;

const device = (name: string, extra: Partial<DeviceDefinition> = {}): DeviceDefinition => ({
  ...{ namespace: 'default', name, uid: `uid-${name}`, binding: 1, protocol: 'p', properties: [] },
  ...extra,
});

const SELF = device('self');
const SLEEPER = device('sleeper', { staleAfter: STALE });
const A = device('a');
const B = device('b');
const ALL = [SELF, SLEEPER, A, B];

/** A book, and the twins that what is due goes into. */
class World {
  readonly book = new PresenceBook({ grace: ms(GRACE), startGrace: ms(START_GRACE), signEvery: ms(10) });
  readonly twins = new Map<string, Twin>();
  readonly definitions: readonly DeviceDefinition[];
  now = 0;

  constructor(definitions: readonly DeviceDefinition[] = ALL, twins: Iterable<Twin> = []) {
    this.definitions = definitions;
    for (const twin of twins) this.twins.set(twin.name, twin);
    this.book.know(definitions);
    this.book.recall(this.twins.values());
  }

  twin(name: string): Twin {
    return this.twins.get(name) ?? emptyTwin(device(name));
  }

  state(name: string): string | undefined {
    return this.twins.get(name)?.state?.state;
  }

  report(definition: DeviceDefinition, client: string): void {
    const twin = this.twin(definition.name);
    if (twin.state?.state !== 'online') this.twins.set(definition.name, applyState(twin, 'online', this.now).twin);
    this.book.heard(definition, client, true);
  }

  pass(time: number): void {
    for (let step = 0; step < time; step += 1) {
      this.now += 1;
      this.book.pass(1);
      this.settle();
    }
  }

  settle(): void {
    for (const {
      device: { name },
      observation,
      done,
    } of this.book.due()) {
      this.twins.set(name, applyObservation(this.twin(name), observation, this.now).twin);
      done();
    }
  }

  end(client: string, how: Departure): void {
    this.book.gone(client, how, this.now);
  }
}

void test('a device is online while its own client is connected, and offline a grace after its end', () => {
  const world = new World();
  world.book.connected('self');
  world.settle();
  assert.equal(world.state('self'), 'online');
  world.pass(100);
  assert.equal(world.state('self'), 'online');

  world.end('self', 'lost');
  world.pass(GRACE - 1);
  assert.equal(world.state('self'), 'online');
  world.pass(1);
  assert.equal(world.state('self'), 'offline');
  assert.equal(world.twin('self').state?.seenAt, 100, 'it was alive until then');
  assert.equal(world.book.clients, 0);
});

void test('a client that comes back within the grace was never away', () => {
  const world = new World();
  for (const [client, definition] of [
    ['self', SELF],
    ['speaker', A],
  ] as const) {
    world.book.connected(client);
    world.report(definition, client);
    world.pass(1);
    const before = world.twin(definition.name).state?.n;
    world.end(client, 'lost');
    world.pass(GRACE - 1);
    world.book.connected(client);
    world.pass(3 * GRACE);
    assert.equal(world.twin(definition.name).state?.n, before);
  }
});

void test('goodbye of its own client: a device that may be silent sleeps, another is offline', () => {
  const world = new World();
  for (const name of ['self', 'sleeper']) world.book.connected(name);
  world.pass(1);
  for (const name of ['self', 'sleeper']) world.end(name, 'disconnected');
  world.pass(GRACE);
  assert.equal(world.state('self'), 'offline');
  assert.equal(world.state('sleeper'), 'online');
  world.pass(STALE - GRACE);
  assert.equal(world.state('sleeper'), 'unknown');
});

void test('who spoke for one device speaks for it when lost, and says nothing by goodbye', () => {
  const world = new World();
  world.book.connected('c1');
  world.report(A, 'c1');
  world.end('c1', 'disconnected');
  world.pass(100);
  assert.equal(world.state('a'), 'online');

  world.book.connected('c2');
  world.report(A, 'c2');
  world.end('c2', 'lost');
  world.pass(GRACE);
  assert.equal(world.state('a'), 'offline');
});

void test('of the devices of a lost mapper nobody knows anything, but of those that another client speaks for now', () => {
  const world = new World();
  for (const client of ['mapper', 'other']) world.book.connected(client);
  for (const definition of [A, B]) world.report(definition, 'mapper');
  world.report(B, 'other');
  world.end('mapper', 'lost');
  world.pass(GRACE);
  assert.deepEqual(
    ['a', 'b'].map((name) => world.state(name)),
    ['unknown', 'online'],
    'also where only one is left to it',
  );
});

void test('a lost speaker takes nobody away whose own client is connected', () => {
  const world = new World();
  for (const client of ['mapper', 'self']) world.book.connected(client);
  world.report(SELF, 'mapper');
  world.end('mapper', 'lost');
  world.pass(100);
  assert.equal(world.state('self'), 'online');
});

void test('words that were on their way when their client was lost do not keep the device here', () => {
  const world = new World();
  world.book.connected('c');
  world.report(A, 'c');
  world.end('c', 'lost');
  world.report(A, 'c');
  world.pass(GRACE);
  assert.equal(world.state('a'), 'offline');
  world.report(A, 'c');
  assert.equal(world.state('a'), 'online');
});

void test('silence counts the time in which the process ran, and from a whole staleAfter after its start', () => {
  const online = applyState(emptyTwin(SLEEPER), 'online', 0).twin;
  const world = new World(ALL, [online]);
  world.pass(STALE - 1);
  assert.equal(world.state('sleeper'), 'online');
  world.report(SLEEPER, 'anybody');
  world.pass(STALE - 1);
  assert.equal(world.state('sleeper'), 'online');
  world.pass(1);
  assert.equal(world.state('sleeper'), 'unknown');
  world.report(SLEEPER, 'anybody');
  assert.equal(world.state('sleeper'), 'online');
});

void test('after a start, whose client was connected has a longer grace to come back', () => {
  const before = new World();
  for (const client of ['self', 'c', 'mapper', 'polite']) before.book.connected(client);
  before.report(A, 'c');
  for (const definition of [B, SLEEPER]) before.report(definition, 'mapper');
  before.pass(1);
  const named = ['self', 'a', 'b', 'sleeper'].map((name) => before.twin(name).state?.client);
  assert.deepEqual(named, ['self', 'c', 'mapper', 'mapper']);

  const killed = new World([SELF, A, B], before.twins.values());
  killed.pass(START_GRACE - 1);
  assert.deepEqual(
    ['self', 'a', 'b'].map((name) => killed.state(name)),
    ['online', 'online', 'online'],
  );
  killed.pass(1);
  assert.deepEqual(
    ['self', 'a', 'b'].map((name) => killed.state(name)),
    ['offline', 'unknown', 'unknown'],
  );
  assert.equal(killed.book.clients, 0);

  const healed = new World([SELF, A, B], before.twins.values());
  for (const client of ['self', 'c', 'mapper']) healed.book.connected(client);
  healed.pass(3 * START_GRACE);
  assert.deepEqual(
    ['self', 'a', 'b'].map((name) => healed.state(name)),
    ['online', 'online', 'online'],
  );
  healed.end('mapper', 'lost');
  healed.pass(GRACE);
  assert.equal(healed.state('b'), 'offline', 'what it speaks for now was b alone');
});

void test('who was lost just before the node was killed gets its time again, and is missed then', () => {
  const before = new World([A]);
  before.book.connected('c');
  before.report(A, 'c');
  before.pass(1);
  before.end('c', 'lost');
  before.pass(GRACE - 1);
  const after = new World([A], before.twins.values());
  after.pass(START_GRACE);
  assert.equal(after.state('a'), 'unknown');
});

void test('a device with two clients of its own is there while one of them is', () => {
  const world = new World();
  for (const client of ['self', 'default/self']) world.book.connected(client);
  world.settle();
  world.end('self', 'lost');
  world.pass(3 * GRACE);
  assert.equal(world.state('self'), 'online');
  world.end('default/self', 'lost');
  world.pass(GRACE);
  assert.equal(world.state('self'), 'offline');
});

void test('who was connected and said goodbye before the node was killed is not missed', () => {
  const before = new World([A]);
  before.book.connected('c');
  before.report(A, 'c');
  before.pass(1);
  before.end('c', 'disconnected');
  before.pass(1);
  assert.equal(before.twin('a').state?.client, undefined);
  const after = new World([A], before.twins.values());
  after.pass(10 * START_GRACE);
  assert.equal(after.state('a'), 'online');
});

void test('a device that is defined while its own client is connected is online; a new one of its name knows nothing of the old', () => {
  const world = new World([]);
  world.book.connected('late');
  const late = device('late');
  world.book.know([late]);
  world.settle();
  assert.equal(world.state('late'), 'online');

  world.book.connected('speaker');
  world.report(late, 'speaker');
  world.book.know([{ ...late, uid: 'another' }]);
  world.end('speaker', 'lost');
  world.pass(GRACE);
  assert.equal(world.state('late'), 'online');
  world.book.know([]);
  world.end('late', 'lost');
  world.pass(GRACE);
  assert.equal(world.book.clients, 0);
});

void test('a device may sleep for its whole time from the end of its connection on, however long it was silent in it', () => {
  const world = new World();
  world.book.connected('sleeper');
  world.pass(3 * STALE);
  world.end('sleeper', 'disconnected');
  world.pass(STALE - 1);
  assert.equal(world.state('sleeper'), 'online');
  world.pass(1);
  assert.equal(world.state('sleeper'), 'unknown');
});

void test('nothing is remembered of a device that another has taken the name of', () => {
  const world = new World([A]);
  world.book.connected('c');
  world.report(A, 'c');
  world.book.know([{ ...A, uid: 'another' }]);
  world.end('c', 'lost');
  world.pass(GRACE);
  assert.equal(world.state('a'), 'online', 'nobody spoke for the new one');
  assert.equal(world.book.clients, 0);
});

void test('a device without news is due to give a sign of life, as is one whose own client is connected', () => {
  const world = new World();
  const due = (name: string): boolean => world.book.isSignDue(device(name));
  world.pass(10);
  assert.ok(!due('a'), 'nothing was heard of it');
  world.book.heard(A, 'c', false);
  assert.ok(due('a'));
  world.book.told(A);
  assert.ok(!due('a'));
  world.book.connected('self');
  assert.ok(due('self'));
  world.book.heard(B, 'c', false);
  world.book.heard(B, 'c', true);
  world.pass(9);
  world.book.heard(B, 'c', false);
  assert.ok(!due('b'), 'the cloud was told not long ago');
  world.pass(1);
  assert.ok(due('b'));
});

// The model: for each device, who is connected of those that may vouch for it, in words that need no bookkeeping of sets.

type Step =
  | { readonly kind: 'connect'; readonly client: string }
  | { readonly kind: 'end'; readonly client: string; readonly how: Departure }
  | { readonly kind: 'report'; readonly client: string; readonly definition: DeviceDefinition }
  | { readonly kind: 'pass'; readonly time: number };

const clients = fc.constantFrom('self', 'sleeper', 'm1', 'm2');
const step: fc.Arbitrary<Step> = fc.oneof(
  clients.map((client) => ({ kind: 'connect', client }) as const),
  fc.record({
    kind: fc.constant('end' as const),
    client: clients,
    how: fc.constantFrom<Departure>('lost', 'disconnected', 'replaced'),
  }),
  fc.record({ kind: fc.constant('report' as const), client: clients, definition: fc.constantFrom(...ALL) }),
  fc.record({ kind: fc.constant('pass' as const), time: fc.integer({ min: 1, max: 2 * STALE }) }),
);

/** Runs a history as a broker would tell it: nobody connects twice, or ends without having begun. */
function run(world: World, history: readonly Step[], connected: Set<string>): void {
  for (const one of history) {
    if (one.kind === 'pass') world.pass(one.time);
    else if (one.kind === 'report' && connected.has(one.client)) world.report(one.definition, one.client);
    else if (one.kind === 'connect' && !connected.has(one.client)) {
      connected.add(one.client);
      world.book.connected(one.client);
    } else if (one.kind === 'end' && connected.delete(one.client)) world.end(one.client, one.how);
    world.settle();
    const here = (name: string): boolean => connected.has(name);
    for (const name of ['self', 'sleeper'])
      if (here(name)) assert.equal(world.state(name), 'online', `${name}'s own client is connected`);
  }
}

void test('whatever comes and goes: with everybody gone and time passed nothing is remembered, and no device of a lost client is online', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(...ALL), (history, definition) => {
      const world = new World();
      const connected = new Set<string>();
      run(world, history, connected);
      run(
        world,
        [...connected].map((client) => ({ kind: 'end', client, how: 'disconnected' })),
        connected,
      );
      run(
        world,
        [
          { kind: 'connect', client: 'last' },
          { kind: 'report', client: 'last', definition },
        ],
        connected,
      );
      run(
        world,
        [
          { kind: 'end', client: 'last', how: 'lost' },
          { kind: 'pass', time: STALE + GRACE },
        ],
        connected,
      );
      assert.equal(world.state(definition.name), 'offline');
      assert.notEqual(world.state('sleeper'), 'online');
      assert.equal(world.book.clients, 0);
    }),
  );
});

void test('whatever comes and goes: a node that is killed and started finds the same devices away, once everybody had time', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (history) => {
      const world = new World();
      const connected = new Set<string>();
      run(world, history, connected);
      world.pass(1);
      const restarted = new World(ALL, world.twins.values());
      restarted.pass(START_GRACE + STALE);
      for (const name of ['self', 'sleeper']) {
        assert.ok(!connected.has(name) || restarted.state(name) === 'offline', `${name} was connected and is not`);
      }
      for (const [name, twin] of world.twins)
        if (twin.state?.client !== undefined) assert.notEqual(restarted.state(name), 'online', name);
      assert.equal(restarted.book.clients, 0);
    }),
  );
});
