import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PastTwins } from '../../../../../src/edge/twin/past-twins.ts';
import { TwinBook } from '../../../../../src/edge/twin/twin-book.ts';
import { largestDivisor, MOST_ENTRIES, TwinHistory } from '../../../../../src/edge/twin/twin-history.ts';
import type { DeviceDefinition } from '../../../../../src/model/device.ts';
import type { HistoryEntry } from '../../../../../src/model/twin-history.ts';
import { emptyTwin, type Twin, type TwinProperty } from '../../../../../src/model/twin.ts';
import type { PropertyUpdate } from '../../../../../src/model/property-update.ts';
import { MOST_UNDECLARED_PROPERTIES } from '../../../../../src/model/twin-bounds.ts';
import { applyUpdate } from '../../../../../src/model/twin-rules.ts';
import { ManualClock } from '../../../../support/manual-clock.ts';
import { MemoryStore } from '../../../../support/memory-store.ts';
import { waitUntil } from '../../../../support/wait-until.ts';

const BOILER: DeviceDefinition = {
  ...{ namespace: 'plant', name: 'boiler', uid: 'u1', binding: 1, protocol: 'virtual' },
  properties: [{ name: 'temp', type: 'INT', accessMode: 'ReadWrite' }],
};

class World {
  readonly disk: Map<string, string>;
  readonly store: MemoryStore;
  readonly twins: TwinBook;
  readonly history: TwinHistory;
  readonly past: PastTwins;
  /** Times here are small numbers, and what they are. */
  readonly clock = Object.assign(new ManualClock(), { timeOf: (stamp: number) => stamp });

  private constructor(places: number, disk: Map<string, string>) {
    this.disk = disk;
    this.store = new MemoryStore(disk, () => Promise.resolve());
    this.history = new TwinHistory(places, { store: this.store, clock: this.clock });
    this.twins = new TwinBook(this.history);
    this.past = new PastTwins(this);
  }

  /** A start of a node on what an earlier one left. */
  static async on(disk: Map<string, string>, places: number): Promise<World> {
    const world = new World(places, disk);
    await world.twins.load(world.store);
    return world;
  }

  async report(value: number, at = value): Promise<void> {
    const before = this.twins.read(BOILER) ?? emptyTwin(BOILER);
    const outcome = applyUpdate(before, BOILER, [{ property: 'temp', actual: { raw: value } }], at);
    await this.keep(outcome.kind === 'applied' ? outcome.after : assert.fail(outcome.reason));
  }

  async keep(twin: Twin): Promise<void> {
    await this.store.commit((tx) => {
      this.twins.change(tx, twin);
    });
  }

  async values(): Promise<readonly (string | undefined)[]> {
    const answer = await this.past.entries(BOILER, { property: 'temp', limit: 1000 });
    return answer?.entries.map(({ value }: HistoryEntry) => value) ?? [];
  }

  get entries(): number {
    return [...this.disk.keys()].filter((key) => key.startsWith('history!')).length;
  }
}

const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, place) => place + 1);

async function reported(world: World, count: number): Promise<void> {
  for (const value of upTo(count)) await world.report(value);
}

void test('each property keeps its newest values, so many and no more, also over a restart', async () => {
  const world = await World.on(new Map(), 4);
  await reported(world, 11);
  const again = await World.on(world.disk, 4);

  assert.deepEqual(await again.values(), ['8', '9', '10', '11']);
  // The ring of the property, and the one state.
  assert.equal(world.entries, 5);
  await again.report(12);
  assert.deepEqual(await again.values(), ['9', '10', '11', '12']);
});

void test('a twin is told as it was at a moment, and what history does not reach back to is named', async () => {
  const world = await World.on(new Map(), 4);
  await reported(world, 11);

  const past = await world.past.at(BOILER, 9);
  assert.equal(past?.properties['temp']?.reported?.value, '9');
  assert.deepEqual([past.state?.value, past.unknown], ['online', []]);
  const earlier = await world.past.at(BOILER, 7);
  assert.deepEqual(earlier?.properties, {});
  assert.deepEqual(earlier.unknown, [{ kind: 'reported', property: 'temp', since: 8 }]);
  assert.deepEqual((await world.past.at(BOILER, 0))?.state, undefined);
  assert.equal(await world.past.at({ namespace: 'plant', name: 'ghost' }, 9), undefined);
});

void test('an answer holds the newest of what was asked for, and says when there is more', async () => {
  const world = await World.on(new Map(), 8);
  await reported(world, 6);

  const newest = await world.past.entries(BOILER, { property: 'temp', limit: 2 });
  assert.deepEqual([newest?.entries.map(({ n }) => n), newest?.isCut], [[5, 6], true]);
  const recent = await world.past.entries(BOILER, { since: 5, limit: 10 });
  assert.deepEqual([recent?.entries.map(({ n }) => n), recent?.isCut], [[5, 6], false]);
  const none = await world.past.entries(BOILER, { property: '__proto__', limit: 10 });
  assert.deepEqual(none?.entries, []);
});

void test('history is forgotten when it is switched off or gets another size, and begins anew', async () => {
  const world = await World.on(new Map(), 4);
  await reported(world, 3);

  const off = await World.on(world.disk, 0);
  assert.equal(off.entries, 0);
  await off.report(4);
  assert.equal(off.entries, 0);

  const on = await World.on(world.disk, 6);
  await on.report(5, 50);
  assert.deepEqual(await on.values(), ['5']);
  assert.deepEqual((await on.past.at(BOILER, 49))?.unknown[0]?.since, 50);
});

void test('the history of a device goes with it, also where the node was killed before that was done', async () => {
  const world = await World.on(new Map(), 4);
  await reported(world, 3);
  await world.keep({ ...emptyTwin(BOILER), name: 'other', uid: 'u2', state: { state: 'online', n: 1, at: 1 } });
  const killed = new Map(world.disk);

  await world.store.commit((tx) => {
    world.twins.remove(tx, BOILER);
    // As much as is on disk when the node is killed right behind the commit.
    tx.afterCommit(() => {
      killed.clear();
      for (const [key, value] of world.disk) killed.set(key, value);
    });
  });

  await waitUntil('the history to be gone', () => world.entries === 1);
  assert.equal([...killed.keys()].filter((key) => key.startsWith('history!u1')).length, 4);
  const again = await World.on(killed, 4);
  assert.equal(again.entries, 1);
});

void test('a device made again under its name has no history of its predecessor', async () => {
  const world = await World.on(new Map(), 4);
  await reported(world, 3);

  await world.keep({ ...emptyTwin(BOILER), uid: 'u9' });

  await waitUntil('the old history to be gone', () => world.entries === 0);
  assert.deepEqual(await world.values(), []);
});

void test('a node with very many properties keeps fewer changes of each, and never more than its bound in all', async () => {
  const world = await World.on(new Map(), 100);
  const properties: Record<string, TwinProperty> = {};
  for (const place of upTo(MOST_ENTRIES / 100 + 1))
    properties[`p${place}`] = { type: 'INT', reported: { value: '1', n: 1, at: 1 } };
  assert.equal(world.history.places, 100);

  await world.keep({ ...emptyTwin(BOILER), properties });

  assert.equal(world.history.places, 50);
  assert.equal((await World.on(world.disk, 100)).history.places, 50);
  assert.deepEqual([largestDivisor(100, 30), largestDivisor(97, 96), largestDivisor(100, 100)], [25, 1, 100]);
});

/** As a node knows its devices: the model declares the properties before anybody reports them. */
function declared(count: number): Twin {
  const properties = Object.fromEntries(upTo(count).map((place) => [`p${place}`, { type: 'INT' } as const]));
  return { ...emptyTwin(BOILER), properties };
}

const withValues = (twin: Twin, value: Omit<TwinProperty, 'type'>): Twin => ({
  ...twin,
  properties: Object.fromEntries(Object.keys(twin.properties).map((name) => [name, { type: 'INT', ...value }])),
});

const REPORTED = { value: '1', n: 1, at: 1 } as const;
const DESIRED = { value: '1', n: 1, at: 1, revision: 1, origin: 'cloud' } as const;

void test('properties count from their first value on, also those that a model declared before', async () => {
  const world = await World.on(new Map(), 100);
  const twin = declared(MOST_ENTRIES / 100 + 1);
  await world.keep(twin);
  assert.equal(world.history.places, 100);

  await world.keep(withValues(twin, { reported: REPORTED }));

  assert.equal(world.history.places, 50);
  assert.equal((await World.on(world.disk, 100)).history.places, 50);
});

void test('reported and desired values have a ring each, and both count', async () => {
  const world = await World.on(new Map(), 100);

  await world.keep(withValues(declared(MOST_ENTRIES / 100), { reported: REPORTED, desired: DESIRED }));

  assert.equal(world.history.places, 50);
  assert.equal((await World.on(world.disk, 100)).history.places, 50);
  await world.store.commit((tx) => {
    world.twins.remove(tx, BOILER);
  });
  assert.equal(world.history.places, 100);
});

void test('what never reached the disk does not count', async () => {
  const world = await World.on(new Map(), 100);
  const twin = withValues(declared(MOST_ENTRIES / 200), { reported: REPORTED });
  world.store.cut();

  await Promise.all(upTo(4).map(() => assert.rejects(world.keep(twin))));
  await assert.rejects(world.keep(twin));

  assert.equal(world.history.places, 100);
});

void test('a property that the twin has forgotten leaves nothing, however many names a client invents', async () => {
  const world = await World.on(new Map(), 4);
  const named = (name: string, rest: object) => [{ property: name, ...rest }];
  const say = async (updates: readonly PropertyUpdate[], at: number): Promise<void> => {
    const before = world.twins.read(BOILER) ?? emptyTwin(BOILER);
    const outcome = applyUpdate(before, BOILER, updates, at);
    await world.keep(outcome.kind === 'applied' ? outcome.after : assert.fail(outcome.reason));
  };
  for (const place of upTo(MOST_UNDECLARED_PROPERTIES + 100)) {
    await say(named(`x${place}`, { actual: { raw: 'a' }, typeName: 'string' }), place);
    await say(named(`x${place}`, { expected: { raw: 'b' }, typeName: 'string' }), place);
    await say(named(`x${place}`, { isRemoval: true }), place);
  }

  const known = Object.keys(world.twins.read(BOILER)?.properties ?? {});
  assert.equal(known.length, MOST_UNDECLARED_PROPERTIES + 1);
  // Of each that is remembered: reported, removed, desired, taken back; and the one state.
  assert.equal(world.entries, known.length * 4 + 1);
  const back = 'x1';
  await say(named(back, { actual: { raw: 'c' }, typeName: 'string' }), 1000);
  const answer = await world.past.entries(BOILER, { property: back, limit: 10 });
  assert.deepEqual(
    answer?.entries.map(({ value }) => value),
    ['c'],
  );
});

void test('what an earlier life of a device has left behind is never taken for this one', async () => {
  const world = await World.on(new Map(), 4);
  await reported(world, 11);
  const left = new Map([...world.disk].filter(([key]) => key.startsWith('history!')));
  await world.store.commit((tx) => {
    world.twins.remove(tx, BOILER);
  });
  await waitUntil('the history to be gone', () => world.entries === 0);
  for (const [key, value] of left) world.disk.set(key, value);

  await reported(world, 2);

  assert.deepEqual(await world.values(), ['1', '2']);
});

void test('a ring that shrinks or grows while it is written keeps its newest entries', async () => {
  const world = await World.on(new Map(), 8);
  await reported(world, 11);
  const many: Record<string, TwinProperty> = {};
  for (const place of upTo(MOST_ENTRIES / 8)) many[`p${place}`] = { type: 'INT' };
  const crowd = { ...emptyTwin(BOILER), name: 'crowd', uid: 'u2' };
  for (const [name, property] of Object.entries(many))
    many[name] = { ...property, reported: { value: '1', n: 1, at: 1 } };
  await world.keep({ ...crowd, properties: many });
  assert.equal(world.history.places, 4);

  for (const value of [12, 13, 14]) await world.report(value);
  assert.deepEqual((await world.values()).slice(-4), ['11', '12', '13', '14']);
  await world.store.commit((tx) => {
    world.twins.remove(tx, crowd);
  });
  assert.equal(world.history.places, 8);
  for (const value of [15, 16, 17]) await world.report(value);

  assert.deepEqual((await world.values()).slice(-4), ['14', '15', '16', '17']);
});
