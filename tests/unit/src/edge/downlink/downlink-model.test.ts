// Whatever happens on the way down, in whatever order: in the end a node holds what the hub wants of it, and nothing that the hub
// wanted all the time was ever taken from it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deviceKey } from '../../../../../src/model/device.ts';
import { waitUntil } from '../../../../support/wait-until.ts';
import { ModelHub, ModelNode } from './model-world.ts';

const NAMES = ['a', 'b', 'c'];
const RUNS = 3000;

type Step = (hub: ModelHub, node: ModelNode) => void | Promise<void>;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A server that comes back is a new connection for the node. */
const afterRestart = (happen: (hub: ModelHub) => void): Step => {
  return (hub, node) => {
    happen(hub);
    node.reconnect();
  };
};

function hintStep(pick: number, fate: 'heard' | 'lost' | 'heard twice'): Step {
  return (hub, node) => {
    const [key] = hub.hints.splice(pick % Math.max(1, hub.hints.length), 1);
    if (key === undefined) return;
    if (fate === 'lost') node.link.hasGap = true;
    else node.link.hint(key);
    if (fate === 'heard twice') hub.hints.push(key);
  };
}

const number = fc.nat({ max: 20 });
const name = fc.constantFrom(...NAMES);

const hubStep: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(name, fc.nat({ max: 2 })).map(
    ([one, value]): Step =>
      (hub) =>
        hub.want(one, value),
  ),
  name.map(
    (one): Step =>
      (hub) =>
        hub.unwant(one),
  ),
  fc.constant<Step>((hub) => hub.putObjects(1)),
  fc.constant<Step>((hub) => hub.putIndex()),
  fc.constant<Step>((hub) => hub.sweep()),
);

const hearAll: Step = async (hub, node) => {
  for (const key of hub.hints.splice(0)) node.link.hint(key);
  await node.settle();
};

/** Nothing is late, so that a few steps reach far. */
const promptStep: fc.Arbitrary<Step> = fc.oneof(
  fc.constant<Step>((_hub, node) => node.settle()),
  fc.constant(hearAll),
  fc.tuple(name, fc.nat({ max: 2 })).map(([one, value]): Step => async (hub, node) => {
    hub.want(one, value);
    hub.putObjects();
    await hearAll(hub, node);
  }),
  name.map((one): Step => async (hub, node) => {
    hub.unwant(one);
    hub.sweep();
    await hearAll(hub, node);
  }),
  fc.constant<Step>(async (hub, node) => {
    hub.putIndex();
    await hearAll(hub, node);
  }),
  fc.nat({ max: 5 }).map((writes): Step => async (hub, node) => {
    hub.rollBack(writes);
    node.reconnect();
    await node.settle();
  }),
);

const nodeStep: fc.Arbitrary<Step> = fc.oneof(
  fc.constant<Step>(turn),
  number.map(
    (pick): Step =>
      (_hub, node) =>
        node.answer(pick),
  ),
  number.map((pick): Step => async (_hub, node) => {
    node.answer(pick);
    await turn();
  }),
  fc
    .tuple(number, fc.constantFrom('heard' as const, 'lost' as const, 'heard twice' as const))
    .map(([pick, fate]) => hintStep(pick, fate)),
);

const mishap: fc.Arbitrary<Step> = fc.oneof(
  fc.constant<Step>((_hub, node) => node.reconnect()),
  fc.constant<Step>(async (_hub, node) => {
    await node.kill();
    await node.start();
  }),
  fc.constant(afterRestart((hub) => hub.loseBucket())),
  number.map((writes) => afterRestart((hub) => hub.rollBack(writes))),
  number.map((writes) =>
    afterRestart((hub) => {
      hub.rollBack(writes);
      hub.restart();
    }),
  ),
);

const step = fc.oneof(
  { arbitrary: hubStep, weight: 5 },
  { arbitrary: nodeStep, weight: 6 },
  { arbitrary: promptStep, weight: 5 },
  { arbitrary: mishap, weight: 1 },
);

/** The hub finishes what it began, and the node hears of it, or comes back. */
async function comeToRest(hub: ModelHub, node: ModelNode): Promise<void> {
  hub.putIndex();
  hub.sweep();
  for (const key of hub.hints.splice(0)) node.link.hint(key);
  // A server that could not write to a client in time closes its connection.
  if (node.link.hasGap) node.reconnect();
  await node.settle();
  if (node.isWell()) return;
  // It waits before it asks again; a new life asks at once.
  await node.kill();
  await node.start();
  await node.settle();
  if (!node.isWell()) await endDoubt(hub, node);
}

/** Where the hub has nothing to add to what its server was left with, until a heartbeat says that the node waits for more. */
async function endDoubt(hub: ModelHub, node: ModelNode): Promise<void> {
  hub.hear(node.indexAbove);
  hub.putIndex();
  for (const key of hub.hints.splice(0)) node.link.hint(key);
  await waitUntil('the hub to be believed', async () => {
    await node.settle();
    return node.isWell();
  });
}

function assertHolds(hub: ModelHub, node: ModelNode): void {
  const wanted = [...hub.wanted.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1));
  const held = [...node.objects.devices()].toSorted((one, other) => (one.name < other.name ? -1 : 1));
  assert.deepEqual(held, wanted);
  const twins = [...node.twins.all()].map((twin) => [deviceKey(twin), twin.uid, twin.properties['x']?.desired?.value]);
  assert.deepEqual(
    twins.toSorted(),
    wanted.map((one) => [deviceKey(one), one.uid, one.properties[0]?.desired]),
  );
}

void test('a node ends with what the hub wants, whatever is lost, repeated, rolled back or killed on the way', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
      const hub = new ModelHub();
      const node = new ModelNode(hub);
      await node.start();

      for (const happen of steps) await happen(hub, node);
      await comeToRest(hub, node);

      assert.equal(node.problem, undefined);
      assertHolds(hub, node);
      for (const { uid, name: taken } of node.removed)
        assert.ok(hub.everUnwanted.has(uid), `${taken} (${uid}) was taken away, and was wanted all the time`);
      await node.kill();
    }),
    { numRuns: RUNS },
  );
});

/** A node that has reached everything, and whose server then loses the newest writes together with the hub. */
async function rolledBack(writes: number, wish: (hub: ModelHub) => void): Promise<{ hub: ModelHub; node: ModelNode }> {
  const hub = new ModelHub();
  const node = new ModelNode(hub);
  await node.start();
  hub.want('a', 1);
  hub.putIndex();
  wish(hub);
  await hearAll(hub, node);
  node.reconnect();
  await node.settle();
  hub.rollBack(writes);
  hub.restart();
  node.reconnect();
  await node.settle();
  return { hub, node };
}

const names = (definitions: Iterable<{ readonly name: string }>): string[] =>
  [...definitions].map(({ name: one }) => one);

void test('an index behind the one that was reached takes nothing, however long it stands, until a hub has heard of it', async () => {
  const { hub, node } = await rolledBack(2, (all) => {
    all.want('b', 1);
    all.putIndex();
  });
  hub.unwant('b');

  node.clock.advance(3_600_000);
  node.reconnect();
  await waitUntil('the index to be doubted again', async () => {
    await node.settle();
    return node.indexAbove !== undefined;
  });

  assert.match(node.problem ?? '', /generation 1\) is older/);
  assert.equal(node.indexAbove, 2);
  assert.deepEqual(names(node.objects.devices()), ['a', 'b']);
  await endDoubt(hub, node);
  assert.deepEqual(names(node.removed), ['b']);
  assert.equal(node.indexAbove, undefined);
  await node.kill();
});

void test('an object ahead of its index, which the bucket has lost, stays until a hub says that it is not wanted', async () => {
  const { hub, node } = await rolledBack(1, (all) => {
    all.want('b', 1);
    all.putObjects();
  });
  hub.unwant('b');

  assert.equal(node.indexAbove, 1);
  assert.deepEqual(names(node.objects.devices()), ['a', 'b']);
  await endDoubt(hub, node);
  assert.deepEqual(names(node.removed), ['b']);
  await node.kill();
});

void test('an object that a node has before its first index, and that the bucket has lost, stays until a hub says so', async () => {
  const hub = new ModelHub();
  const node = new ModelNode(hub);
  await node.start();
  await node.settle();
  hub.putIndex();
  hub.hints = [];
  hub.want('a', 1);
  hub.putObjects();
  await hearAll(hub, node);
  await node.settle();
  assert.deepEqual(names(node.objects.devices()), ['a']);

  hub.rollBack(1);
  node.reconnect();
  await node.settle();

  assert.deepEqual(names(node.removed), []);
  await comeToRest(hub, node);
  assertHolds(hub, node);
  await node.kill();
});

void test('an older value that a bucket was left with is not taken for the newest', async () => {
  const { hub, node } = await rolledBack(1, (all) => {
    all.want('a', 2);
    all.putObjects();
  });
  const wanted = (): string | undefined => [...node.twins.all()][0]?.properties['x']?.desired?.value;

  assert.equal(node.indexAbove, 1);
  assert.equal(wanted(), '2');
  hub.want('a', 1);
  await endDoubt(hub, node);
  assert.equal(wanted(), '1');
  await node.kill();
});
