// Who vouches for which device, whatever comes and goes: random histories against a plain model.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Departure } from '../../../../../broker/index.ts';
import type { DeviceDefinition } from '../../../../../src/model/device.ts';
import { ALL, GRACE, STALE, START_GRACE, World } from './presence-world.ts';

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
