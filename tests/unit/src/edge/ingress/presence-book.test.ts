// Who vouches for which device, and what follows when nobody does, case by case.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyState } from '../../../../../src/model/state-rules.ts';
import { emptyTwin } from '../../../../../src/model/twin.ts';
import { A, ALL, B, device, GRACE, SELF, SLEEPER, STALE, START_GRACE, World } from './presence-world.ts';

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
