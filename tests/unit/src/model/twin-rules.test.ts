import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DeviceDefinition, PropertyDefinition } from '../../../../src/model/device.ts';
import { applyDefinition as define, deltaOf, desiredChanges } from '../../../../src/model/desired-rules.ts';
import type { PropertyUpdate } from '../../../../src/model/property-update.ts';
import { applyState } from '../../../../src/model/state-rules.ts';
import { emptyTwin, type Twin } from '../../../../src/model/twin.ts';
import { MOST_UNDECLARED_PROPERTIES, MOST_UNDECLARED_TEXT } from '../../../../src/model/twin-bounds.ts';
import { applyUpdate } from '../../../../src/model/twin-rules.ts';

const NOW = Date.UTC(2026, 0, 1);

function device(properties: readonly PropertyDefinition[], changes: Partial<DeviceDefinition> = {}): DeviceDefinition {
  return { namespace: 'plant', name: 'boiler', uid: 'u1', binding: 1, protocol: 'virtual', properties, ...changes };
}

const BOILER = device([
  { name: 'setpoint', type: 'INT', accessMode: 'ReadWrite', minimum: '0', maximum: '95', desired: '70' },
  { name: 'temp', type: 'FLOAT', accessMode: 'ReadOnly' },
  { name: 'label', type: 'STRING', accessMode: 'ReadWrite' },
]);

const applyDefinition = (...given: Parameters<typeof define>): Twin => define(...given).twin;
const start = (definition = BOILER, revision = 7): Twin =>
  applyDefinition(undefined, { previous: undefined, next: definition, revision }, NOW);

const actual = (property: string, raw: unknown): PropertyUpdate => ({ property, actual: { raw } });
const expected = (property: string, raw: unknown): PropertyUpdate => ({ property, expected: { raw } });

function applied(twin: Twin, updates: readonly PropertyUpdate[], now = NOW + 1, definition = BOILER) {
  const outcome = applyUpdate(twin, definition, updates, now);
  return outcome.kind === 'applied' ? outcome : assert.fail(outcome.reason);
}

function refusal(twin: Twin, updates: readonly PropertyUpdate[], definition = BOILER): string {
  const outcome = applyUpdate(twin, definition, updates, NOW);
  return outcome.kind === 'refused' ? outcome.reason : assert.fail('not refused');
}

void test('a report stores the value as text, with the time of receipt and the device own time', () => {
  const { after, changes } = applied(start(), [
    { property: 'temp', actual: { raw: 64.5, deviceTime: 99 } },
    actual('setpoint', '69'),
  ]);

  assert.deepEqual(after.properties['temp']?.reported, { value: '64.5', n: 1, at: NOW + 1, deviceTime: 99 });
  assert.deepEqual(changes, [
    { kind: 'reported', property: 'temp', type: 'FLOAT', value: '64.5', n: 1, deviceTime: 99 },
    { kind: 'reported', property: 'setpoint', type: 'INT', value: '69', n: 1 },
    { kind: 'state', state: 'online', n: 1 },
  ]);
});

void test('a repeated value moves its time and is no change', () => {
  const first = applied(start(), [actual('temp', '5')]).after;

  const { after, changes } = applied(first, [actual('temp', '5')], NOW + 1000);

  assert.deepEqual(changes, []);
  assert.deepEqual(after.properties['temp']?.reported, { value: '5', n: 1, at: NOW + 1000 });
});

void test('a device that is believed to be offline is online when it reports, and not when it only wishes', () => {
  const offline = applyState(start(), 'offline', NOW).twin;

  assert.deepEqual(applied(offline, [actual('temp', '5')]).changes.at(-1), { kind: 'state', state: 'online', n: 2 });
  assert.equal(applied(offline, [expected('setpoint', '5')]).after.state?.state, 'offline');
});

void test('one refused property refuses the whole update and names itself', () => {
  const reason = refusal(start(), [actual('temp', '5'), actual('setpoint', '96')]);

  assert.equal(reason, 'property "setpoint" must be at most 95, not 96');
});

void test('the type of an undeclared property is the one it began with', () => {
  const begun = applied(start(), [{ ...actual('extra', '5'), typeName: 'int' }]).after;
  assert.equal(begun.properties['extra']?.type, 'INT');

  assert.match(refusal(begun, [{ ...actual('extra', 'five'), typeName: 'string' }]), /"extra" must be an integer/);
  assert.equal(applied(start(), [actual('other', 'five')]).after.properties['other']?.type, 'STRING');
  assert.match(refusal(start(), [{ ...actual('extra', '5'), typeName: 'decimal' }]), /"extra".*type "decimal"/);
  assert.match(refusal(start(), [{ ...actual('extra', '5'), typeName: 'constructor' }]), /type "constructor"/);
});

void test('the type that a client names does not count for a declared property', () => {
  assert.match(refusal(start(), [{ ...actual('setpoint', 'high'), typeName: 'string' }]), /must be an integer/);
  assert.equal(
    applied(start(), [{ ...actual('temp', '5'), typeName: 'Updated' }]).after.properties['temp']?.type,
    'FLOAT',
  );
});

void test('expected equal to desired confirms it once, and leaves desired alone', () => {
  const twin = start();
  const { after, changes } = applied(twin, [expected('setpoint', '70')]);

  assert.deepEqual(changes, [{ kind: 'observed', property: 'setpoint', type: 'INT', value: '70', n: 1 }]);
  assert.deepEqual(after.properties['setpoint']?.desired, twin.properties['setpoint']?.desired);
  assert.deepEqual(applied(after, [expected('setpoint', 70)]).changes, []);
});

void test('another expected value overrides locally, over the revision it was based on', () => {
  const { after, changes } = applied(start(), [expected('setpoint', '50')]);

  const standing = [{ property: 'setpoint', value: '50', revision: 7, at: NOW + 1 }];
  assert.deepEqual(changes, [{ kind: 'override', n: 1, standing, ended: [] }]);
  assert.deepEqual(after.properties['setpoint']?.desired, {
    value: '50',
    n: 2,
    at: NOW + 1,
    revision: 7,
    origin: 'local',
  });
});

void test('a property that is ReadOnly cannot be wished for', () => {
  assert.match(refusal(start(), [expected('temp', '5')]), /"temp" is ReadOnly/);
});

void test('expected beside actual is what the mapper has seen, and never changes what is desired', () => {
  const twin = start();
  const { after, changes } = applied(twin, [{ ...actual('setpoint', '60'), ...expected('setpoint', '60') }]);

  assert.deepEqual(after.properties['setpoint']?.desired, twin.properties['setpoint']?.desired);
  assert.equal(after.properties['setpoint']?.observedDesired?.value, '60');
  assert.deepEqual(
    changes.map(({ kind }) => kind),
    ['observed', 'reported', 'state'],
  );
});

void test('a local override stands until the word of the cloud changes, and then the cloud wins', () => {
  const local = applied(start(), [expected('setpoint', '50')]).after;
  const relabelled = { ...BOILER, description: 'second floor' };
  const later = applyDefinition(local, { previous: BOILER, next: relabelled, revision: 8 }, NOW + 2);
  const { value, origin } = later.properties['setpoint']?.desired ?? assert.fail();
  assert.deepEqual([value, origin], ['50', 'local']);

  const changed = device(BOILER.properties.map((one) => (one.name === 'setpoint' ? { ...one, desired: '80' } : one)));
  const won = applyDefinition(later, { previous: relabelled, next: changed, revision: 9 }, NOW + 3);

  assert.deepEqual(won.properties['setpoint']?.desired, {
    value: '80',
    n: 3,
    at: NOW + 3,
    revision: 9,
    origin: 'cloud',
  });
  assert.deepEqual(desiredChanges(later, won), ['setpoint']);
});

void test('a desired value that the cloud takes back is gone', () => {
  const without = device(BOILER.properties.map(({ desired: _, ...one }) => one));

  const after = applyDefinition(start(), { previous: BOILER, next: without, revision: 8 }, NOW);

  assert.equal(after.properties['setpoint']?.desired, undefined);
  assert.deepEqual(deltaOf(after), {});
});

void test('a device made again under its name begins with an empty twin and all of its desired values', () => {
  const old = applied(start(), [actual('temp', '5'), actual('extra', 'x'), expected('setpoint', '50')]).after;
  const again = { ...BOILER, uid: 'u2', binding: 4 };

  const after = applyDefinition(old, { previous: BOILER, next: again, revision: 20 }, NOW);

  assert.deepEqual(after, start(again, 20));
  assert.equal(after.uid, 'u2');
});

void test('a device bound again keeps its twin and takes the new binding', () => {
  const old = applied(start(), [actual('temp', '5')]).after;

  const after = applyDefinition(old, { previous: BOILER, next: { ...BOILER, binding: 2 }, revision: 8 }, NOW);

  assert.deepEqual(after, { ...old, binding: 2 });
});

void test('the delta holds what is desired, set and not reported so', () => {
  assert.deepEqual(deltaOf(start()), { setpoint: '70' });
  assert.deepEqual(deltaOf(applied(start(), [actual('setpoint', '69')]).after), { setpoint: '70' });
  assert.deepEqual(deltaOf(applied(start(), [actual('setpoint', '70')]).after), {});
  assert.deepEqual(deltaOf(applied(start(), [expected('setpoint', '70'), expected('label', '')]).after), {
    setpoint: '70',
  });
});

void test('a twin takes only so many properties that its model does not declare', () => {
  const names = (count: number): PropertyUpdate[] => Array.from({ length: count }, (_, n) => actual(`extra-${n}`, 'x'));
  const full = applied(start(), names(MOST_UNDECLARED_PROPERTIES)).after;

  assert.match(refusal(full, [actual('one-more', 'x')]), /200 properties that its device model does not declare/);
  assert.equal(applied(full, [actual('extra-5', 'y'), actual('temp', '1')]).changes.length, 2);
});

void test('the values of properties that the model does not declare are bounded together, and one can always shrink', () => {
  const large = 'x'.repeat(MOST_UNDECLARED_TEXT / 2);
  const full = applied(start(), [actual('a', large), actual('b', large)]).after;

  assert.match(refusal(full, [actual('c', 'y'.repeat(5000))]), /holds too much in properties/);
  assert.match(refusal(full, [actual('a', `${large}more`)]), /holds too much in properties/);
  const less = applied(full, [actual('a', large.slice(1)), actual('label', large)]).after;
  const without = applied(less, [{ property: 'b', isRemoval: true }, actual('c', large)]).after;
  assert.equal(without.properties['c']?.reported?.value, large);
});

void test('a device whose model shrank is served on', () => {
  const wide = device(
    Array.from({ length: MOST_UNDECLARED_PROPERTIES + 50 }, (_, n) => ({
      name: `p${n}`,
      type: 'INT',
      accessMode: 'ReadWrite',
    })),
  );
  const narrow = device(wide.properties.slice(0, 3));
  const twin = applyDefinition(start(wide), { previous: wide, next: narrow, revision: 8 }, NOW);

  assert.equal(applied(twin, [actual('p1', '5')], NOW, narrow).after.properties['p1']?.reported?.value, '5');
});

// Whatever is thrown at a twin.

const name = fc.constantFrom('setpoint', 'temp', 'label', 'extra', 'other');
const raw = fc.oneof(
  fc.constantFrom('0', '70', '71', '96', 'x', '', true, null),
  fc.integer({ min: -1, max: 96 }),
  fc.jsonValue(),
);
const holder = fc.option(fc.record({ raw }), { nil: undefined });
const typeName = fc.option(fc.constantFrom('int', 'string', 'Updated', 'nonsense'), { nil: undefined });
const isRemoval = fc.option(fc.constant(true as const), { nil: undefined, freq: 4 });
const optional = fc.option(fc.boolean(), { nil: undefined });
const update = fc
  .record({ property: name, actual: holder, expected: holder, typeName, isRemoval, optional })
  .map(
    (one) =>
      Object.fromEntries(Object.entries(one).filter(([, value]) => value !== undefined)) as unknown as PropertyUpdate,
  );
const updates = fc.uniqueArray(update, { selector: ({ property }) => property, maxLength: 4 });

function counters(twin: Twin): Map<string, number> {
  const found = new Map<string, number>();
  for (const [property, { reported, desired, observedDesired, floor }] of Object.entries(twin.properties)) {
    found.set(`${property} reported`, reported?.n ?? 0);
    found.set(`${property} desired`, desired?.n ?? 0);
    found.set(`${property} observed`, observedDesired?.n ?? 0);
    found.set(`${property} removed`, floor ?? 0);
  }
  return found.set('state', twin.state?.n ?? 0).set('override', twin.overrides?.n ?? 0);
}

void test('an update applies whole or not at all, changes nothing in place, and every change counts up by one', () => {
  fc.assert(
    fc.property(fc.array(updates, { maxLength: 12 }), (publications) => {
      let twin = start();
      for (const [step, publication] of publications.entries()) {
        const frozen = JSON.stringify(twin);
        const outcome = applyUpdate(twin, BOILER, publication, NOW + step);
        assert.equal(JSON.stringify(twin), frozen);
        if (outcome.kind === 'refused') {
          assert.ok(
            publication.some(({ property }) => outcome.reason.includes(`property "${property}"`)),
            outcome.reason,
          );
          continue;
        }
        const [before, after] = [counters(twin), counters(outcome.after)];
        const moved = [...after].filter(([key, n]) => n !== (before.get(key) ?? 0));
        // What is told is all that moved, each once: desired values of this node in one list. What a removal takes is not.
        const told = outcome.changes.map((one) => ('property' in one ? `${one.property} ${one.kind}` : one.kind));
        const expected = moved.filter(([key, n]) => !key.endsWith(' desired') && n > 0).map(([key]) => key);
        assert.deepEqual(told.toSorted(), expected.toSorted());
        assert.equal(outcome.before, twin);
        twin = outcome.after;
      }
    }),
  );
});

void test('versions of a property only grow, through every removal, and never fall behind one that was told', () => {
  fc.assert(
    fc.property(fc.array(updates, { maxLength: 20 }), (publications) => {
      let twin = start();
      const newest = new Map<string, number>();
      for (const publication of publications) {
        const outcome = applyUpdate(twin, BOILER, publication, NOW);
        if (outcome.kind === 'refused') continue;
        for (const change of outcome.changes) {
          if (!('property' in change)) continue;
          const { kind, property, n } = change;
          const parts = kind === 'removed' ? ['reported', 'observed', 'removed'] : [kind];
          const floor = newest.get(`${property} removed`) ?? 0;
          for (const part of parts) assert.ok(n > Math.max(newest.get(`${property} ${part}`) ?? 0, floor), part);
          newest.set(`${property} ${kind}`, n);
        }
        twin = outcome.after;
      }
    }),
  );
});

void test('what is stored always keeps the rules of the model', () => {
  fc.assert(
    fc.property(fc.array(updates, { maxLength: 12 }), (publications) => {
      let twin = start();
      for (const publication of publications) {
        const outcome = applyUpdate(twin, BOILER, publication, NOW);
        if (outcome.kind === 'applied') twin = outcome.after;
        const { setpoint, temp } = twin.properties;
        for (const value of [setpoint?.reported?.value, setpoint?.desired?.value]) {
          if (value !== undefined) assert.ok(Number(value) >= 0 && Number(value) <= 95, value);
        }
        assert.equal(temp?.desired, undefined);
        for (const [property, value] of Object.entries(deltaOf(twin))) {
          assert.notEqual(twin.properties[property]?.reported?.value, value);
        }
      }
    }),
  );
});

void test('an empty update changes nothing', () => {
  const twin = emptyTwin(BOILER);
  const outcome = applied(twin, []);

  assert.deepEqual(outcome.after, twin);
  assert.deepEqual(outcome.changes, []);
});
