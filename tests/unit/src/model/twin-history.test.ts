import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyDefinition } from '../../../../src/model/desired-rules.ts';
import type { DeviceDefinition } from '../../../../src/model/device.ts';
import type { PropertyUpdate } from '../../../../src/model/property-update.ts';
import {
  heldAt,
  KEPT_OF_VALUE,
  NewestEntries,
  recordChanges,
  ringsIn,
  ringsOf,
  unbroken,
  type HistoryEntry,
} from '../../../../src/model/twin-history.ts';
import type { Twin } from '../../../../src/model/twin.ts';
import { applyUpdate } from '../../../../src/model/twin-rules.ts';

const PLACES = 5;
const BOILER: DeviceDefinition = {
  ...{ namespace: 'plant', name: 'boiler', uid: 'u1', binding: 1, protocol: 'virtual' },
  properties: [{ name: 'setpoint', type: 'INT', accessMode: 'ReadWrite', desired: '70' }],
};

/** The rings as the node keeps them: so many places, and a new entry in the place of the oldest. */
class Rings {
  readonly #places = new Map<string, HistoryEntry>();
  readonly all: HistoryEntry[] = [];
  count = 0;

  step(before: Twin | undefined, after: Twin, now: number): void {
    this.count += recordChanges(before, after, () => now, {
      entry: (entry) => {
        this.#places.set(`${entry.kind} ${entry.property} ${entry.n % PLACES}`, entry);
        this.all.push(entry);
      },
      forgotten: (property) => assert.fail(property),
    });
  }

  get kept(): readonly HistoryEntry[] {
    return [...this.#places.values()];
  }
}

const name = fc.constantFrom('setpoint', 'extra');
const value = fc.constantFrom('1', '2', '3');
const update: fc.Arbitrary<PropertyUpdate> = fc.oneof(
  fc.record({ property: name, actual: fc.record({ raw: value }) }),
  fc.record({ property: name, expected: fc.record({ raw: value }) }),
  fc.record({ property: name, isRemoval: fc.constant(true as const) }),
);
/** A publication, or the cloud's new word, and how far the clock went on meanwhile: also back. */
const step = fc.record({
  what: fc.oneof(update, fc.record({ desired: fc.option(value, { nil: undefined }) })),
  later: fc.integer({ min: -3, max: 5 }),
});

interface Told {
  readonly twin: Twin;
  readonly rings: Rings;
  /** The twin after each step, with the newest clock. */
  readonly states: readonly Twin[];
}

function tell(steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[]): Told {
  const rings = new Rings();
  let definition = BOILER;
  let now = 1000;
  let { twin } = applyDefinition(undefined, { previous: undefined, next: definition, revision: 1 }, now);
  rings.step(undefined, twin, now);
  const states: Twin[] = [twin];
  for (const { what, later } of steps) {
    now += later;
    const before = twin;
    if ('property' in what) {
      const outcome = applyUpdate(twin, definition, [what], now);
      if (outcome.kind === 'applied') twin = outcome.after;
    } else {
      const { name: property, type, accessMode } = BOILER.properties[0] ?? assert.fail();
      const wanted = what.desired === undefined ? {} : { desired: what.desired };
      const next = { ...definition, properties: [{ name: property, type, accessMode, ...wanted }] };
      ({ twin } = applyDefinition(twin, { previous: definition, next, revision: 2 }, now));
      definition = next;
    }
    rings.step(before, twin, now);
    states.push(twin);
  }
  return { twin, rings, states };
}

void test('every change of a value is one entry that names the one before it, and rings hold the newest without a hole', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const { twin, rings } = tell(steps);

      assert.equal(rings.count, ringsIn(twin));
      for (const [ring, entries] of ringsOf(twin, rings.kept)) {
        const all = rings.all.filter(({ kind, property }) => `${kind}/${property}` === ring);
        assert.deepEqual(entries, all.slice(-entries.length));
        // Removals count up by more than one and so leave places unused; nothing else does.
        const most = all.some(({ n, before }) => n !== before + 1) ? 1 : Math.min(PLACES, all.length);
        assert.ok(entries.length >= most, `${ring} has ${entries.length} of ${all.length}`);
      }
    }),
  );
});

void test('what a ring held at a moment is what the twin held, by counters and not by clocks, or is said to be unknown', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 40, size: 'max' }),
      fc.integer({ min: 990, max: 1200 }),
      (steps, moment) => {
        const { twin, rings } = tell(steps);

        for (const [ring, entries] of ringsOf(twin, rings.kept)) {
          const all = rings.all.filter(({ kind, property }) => `${kind}/${property}` === ring);
          const then = all.findLast(({ at }) => at <= moment);
          const held = heldAt(entries, moment);
          if (held.kind === 'held') assert.equal(held.entry, then);
          else if (held.kind === 'nothing') assert.equal(then?.value, undefined);
          else assert.ok(all.length > entries.length && held.since > moment);
        }
      },
    ),
  );
});

void test('values that the twin holds and no history has are known from when they were last heard', () => {
  const { twin } = applyDefinition(undefined, { previous: undefined, next: BOILER, revision: 1 }, 1000);

  const [ring = assert.fail()] = ringsOf(twin, []).values();

  assert.equal(heldAt(ring, 1000).kind, 'held');
  assert.deepEqual(heldAt(ring, 999), { kind: 'unknown', since: 1000 });
});

void test('entries beyond a hole are not trusted', () => {
  const entry = (n: number): HistoryEntry => ({
    ...{ kind: 'reported', property: 'a', n, before: n - 1 },
    ...{ at: n, value: String(n) },
  });

  assert.deepEqual(unbroken([entry(1), entry(2), entry(4), entry(5)], undefined), [entry(4), entry(5)]);
});

void test('a long value is kept by its beginning, and how long it was', () => {
  const rings = new Rings();
  const { twin } = applyDefinition(undefined, { previous: undefined, next: BOILER, revision: 1 }, 1000);
  const long = 'x'.repeat(KEPT_OF_VALUE + 1);

  const outcome = applyUpdate(twin, BOILER, [{ property: 'note', actual: { raw: long } }], 1001);
  if (outcome.kind === 'applied') rings.step(twin, outcome.after, 1001);

  const entry = rings.all.find(({ kind }) => kind === 'reported');
  assert.deepEqual([entry?.value?.length, entry?.length], [KEPT_OF_VALUE, KEPT_OF_VALUE + 1]);
});

void test('a clock that was set back does not turn the order of a ring around', () => {
  const at = (n: number, time: number, property: string): HistoryEntry => ({
    ...{ kind: 'reported', property, n, before: n - 1 },
    ...{ at: time, value: String(n) },
  });
  const a = [at(1, 100, 'a'), at(2, 50, 'a'), at(3, 120, 'a')];
  const b = [at(1, 60, 'b'), at(2, 110, 'b')];

  const order = (most: number): readonly (string | boolean)[] => {
    const newest = new NewestEntries(most);
    newest.add(a);
    newest.add(b);
    return [...newest.inOrder().map(({ property, n }) => `${property}${n}`), newest.isCut];
  };

  assert.deepEqual(order(5), ['b1', 'a1', 'a2', 'b2', 'a3', false]);
  for (const most of [4, 3, 2, 1])
    assert.deepEqual(order(most), [...['b1', 'a1', 'a2', 'b2', 'a3'].slice(-most), true]);
});

void test('a removal is an entry like any other, and what was before it is still told, although its count leaves some out', () => {
  const rings = new Rings();
  let { twin } = applyDefinition(undefined, { previous: undefined, next: BOILER, revision: 1 }, 1000);
  const reported = (raw: string): PropertyUpdate => ({ property: 'setpoint', actual: { raw } });
  const seen = { property: 'setpoint', actual: { raw: '1' }, expected: { raw: '70' } };
  const seenLess = { property: 'setpoint', actual: { raw: '1' }, expected: { raw: '60' } };
  const removal = { property: 'setpoint', isRemoval: true } as const;
  for (const [later, publication] of [seen, seenLess, removal, reported('3')].entries()) {
    const outcome = applyUpdate(twin, BOILER, [publication], 1001 + later);
    const { after } = outcome.kind === 'applied' ? outcome : assert.fail(outcome.reason);
    rings.step(twin, after, 1001 + later);
    twin = after;
  }

  const ring = ringsOf(twin, rings.kept).get('reported/setpoint') ?? [];

  assert.deepEqual(
    ring.map(({ n, value: kept }) => [n, kept]),
    [
      [1, '1'],
      [3, undefined],
      [4, '3'],
    ],
  );
  assert.equal(heldAt(ring, 1003).kind, 'nothing');
});
