import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DeviceDefinition } from '../../../../src/model/device.ts';
import { applyDefinition, deltaOf } from '../../../../src/model/desired-rules.ts';
import type { PropertyUpdate } from '../../../../src/model/property-update.ts';
import { emptyTwin, isThere, type Twin } from '../../../../src/model/twin.ts';
import { MOST_UNDECLARED_PROPERTIES } from '../../../../src/model/twin-bounds.ts';
import { applyUpdate } from '../../../../src/model/twin-rules.ts';

const NOW = Date.UTC(2026, 0, 1);
const BOILER: DeviceDefinition = {
  ...{ namespace: 'plant', name: 'boiler', uid: 'u1', binding: 1, protocol: 'virtual' },
  properties: [
    { name: 'setpoint', type: 'INT', accessMode: 'ReadWrite', desired: '70' },
    { name: 'temp', type: 'FLOAT', accessMode: 'ReadOnly' },
  ],
};

const start = (): Twin => applyDefinition(undefined, { previous: undefined, next: BOILER, revision: 7 }, NOW).twin;
const actual = (property: string, raw: unknown): PropertyUpdate => ({ property, actual: { raw } });
const removal = (property: string): PropertyUpdate => ({ property, isRemoval: true });

function applied(twin: Twin, ...updates: readonly PropertyUpdate[]) {
  const outcome = applyUpdate(twin, BOILER, updates, NOW);
  return outcome.kind === 'applied' ? outcome : assert.fail(outcome.reason);
}

void test('a removed property is gone, is told once, and comes back with a newer version and another type', () => {
  const reported = applied(applied(start(), actual('extra', '1')).after, actual('extra', '2')).after;

  const { after, changes, touched } = applied(reported, removal('extra'));
  const again = applied(after, removal('extra'));
  const back = applied(again.after, { ...actual('extra', '5'), typeName: 'int' });

  assert.deepEqual(changes, [{ kind: 'removed', property: 'extra', n: 3 }]);
  assert.deepEqual(touched, [{ property: 'extra', kind: 'removed' }]);
  assert.deepEqual(again.changes, []);
  assert.deepEqual(again.touched, touched);
  assert.deepEqual(back.changes, [{ kind: 'reported', property: 'extra', type: 'INT', value: '5', n: 4 }]);
});

void test('removing what was never there changes nothing and is answered as done', () => {
  const twin = start();
  const { after, changes, touched } = applied(twin, removal('nobody'));

  assert.deepEqual([after, changes, touched], [twin, [], [{ property: 'nobody', kind: 'removed' }]]);
});

void test('a property that is not optional stays, and never becomes optional again', () => {
  const kept = applied(start(), { ...actual('extra', '1'), optional: false }).after;
  const still = applied(kept, { property: 'extra', optional: true }).after;

  const { after, changes, touched } = applied(still, removal('extra'), actual('temp', '5'));

  assert.equal(after.properties['extra']?.reported?.value, '1');
  assert.deepEqual(
    touched.map(({ property }) => property),
    ['temp'],
  );
  assert.deepEqual(
    changes.map(({ kind }) => kind),
    ['reported'],
  );
});

void test('an update that says nothing of a live property touches nothing, and one that makes it not optional does', () => {
  const twin = applied(start(), actual('extra', '1')).after;

  assert.deepEqual(applied(twin, { property: 'extra' }).touched, []);
  assert.deepEqual(applied(twin, { property: 'extra', optional: true, typeName: 'float' }).touched, []);
  assert.deepEqual(applied(twin, { property: 'extra', optional: false }).touched, [
    { property: 'extra', kind: 'set', isReported: false },
  ]);
});

void test('a property can be made without a value, and keeps the type it was made with', () => {
  const { after, touched } = applied(start(), { property: 'extra', typeName: 'integer' });

  assert.deepEqual(touched, [{ property: 'extra', kind: 'set', isReported: false }]);
  const { extra = assert.fail() } = after.properties;
  assert.deepEqual([isThere(extra), extra.type, extra.typeName], [true, 'INT', 'integer']);
  assert.equal(applied(after, { property: 'extra' }).touched.length, 0);
  assert.equal(applied(after, removal('extra')).after.properties['extra'], undefined);
});

void test('what the cloud desires survives a removal, and a wish of this node over it does not', () => {
  const seen = applied(start(), actual('setpoint', '70'), actual('temp', '5')).after;
  const overridden = applied(seen, { property: 'setpoint', expected: { raw: '50' } }).after;

  for (const twin of [seen, overridden]) {
    const { after } = applied(twin, removal('setpoint'), removal('temp'));
    const { setpoint = assert.fail(), temp = assert.fail() } = after.properties;
    assert.deepEqual([setpoint.desired?.value, setpoint.desired?.origin], ['70', 'cloud']);
    assert.equal(setpoint.reported, undefined);
    assert.equal(isThere(temp), false);
    assert.deepEqual(deltaOf(after), { setpoint: '70' });
  }
});

void test('names that come and go do not fill a twin, and a forgotten one comes back newer than it was', () => {
  let twin = applied(emptyTwin(BOILER), actual('first', '1')).after;
  twin = applied(twin, actual('first', '2')).after;
  twin = applied(twin, removal('first')).after;
  for (let n = 0; n < 3 * MOST_UNDECLARED_PROPERTIES; n += 1) {
    twin = applied(twin, actual(`p${n}`, 'x')).after;
    twin = applied(twin, removal(`p${n}`)).after;
  }

  assert.ok(Object.keys(twin.properties).length <= MOST_UNDECLARED_PROPERTIES + BOILER.properties.length);
  assert.equal(twin.properties['first'], undefined);
  const [change] = applied(twin, actual('first', '3')).changes;
  assert.ok(change?.kind === 'reported' && change.n > 3);
});

void test('where removed properties take the room of new ones the oldest are forgotten first', () => {
  let twin = emptyTwin(BOILER);
  for (const name of ['old', 'new']) twin = applied(applied(twin, actual(name, 'x')).after, removal(name)).after;
  const names = Array.from({ length: MOST_UNDECLARED_PROPERTIES + BOILER.properties.length - 1 }, (_, n) => `p${n}`);

  const { after } = applied(twin, ...names.map((name) => actual(name, 'x')));

  assert.equal('old' in after.properties, false);
  assert.equal('new' in after.properties, true);
});

/** `extra` is of the model, or not: declared, it is the device's own. */
const defined = (isDeclared: boolean): DeviceDefinition => ({
  ...BOILER,
  properties: isDeclared ? [{ name: 'extra', type: 'STRING', accessMode: 'ReadWrite' }] : [],
});

type Step = 'report' | 'remove' | 'declare' | 'undeclare' | 'crowd out';
const STEPS: readonly Step[] = ['report', 'report', 'remove', 'declare', 'undeclare', 'crowd out'];

class Extra {
  #twin = applyDefinition(undefined, { previous: undefined, next: defined(true), revision: 1 }, NOW).twin;
  #definition = defined(true);
  #reports = 0;
  /** Of all that was told of it, in order. */
  readonly versions: number[] = [];

  take(step: Step): void {
    if (step === 'declare' || step === 'undeclare') this.#define(defined(step === 'declare'));
    else if (step === 'remove') this.#update(removal('extra'));
    else if (step === 'report') this.#update(actual('extra', `v${(this.#reports += 1)}`));
    else this.#crowdOut();
  }

  #define(next: DeviceDefinition): void {
    this.#twin = applyDefinition(this.#twin, { previous: this.#definition, next, revision: 2 }, NOW).twin;
    this.#definition = next;
  }

  /** So many other properties come that those which were removed are forgotten; and go. */
  #crowdOut(): void {
    const names = Array.from({ length: MOST_UNDECLARED_PROPERTIES }, (_, n) => `p${n}`);
    this.#update(...names.map((name) => actual(name, 'x')));
    this.#update(...names.map(removal));
  }

  #update(...updates: readonly PropertyUpdate[]): void {
    const outcome = applyUpdate(this.#twin, this.#definition, updates, NOW);
    // There is no room for so many others while it is there itself.
    if (outcome.kind === 'refused') return;
    this.#twin = outcome.after;
    for (const change of outcome.changes)
      if ('property' in change && change.property === 'extra') this.versions.push(change.n);
  }
}

void test('however a property is declared, removed, taken from the model, forgotten and declared again, its versions only rise', () => {
  const versionsOf = (steps: readonly Step[]): readonly number[] => {
    const extra = new Extra();
    for (const step of steps) extra.take(step);
    for (const [place, n] of extra.versions.entries()) assert.ok(n > (extra.versions[place - 1] ?? 0), steps.join());
    return extra.versions;
  };
  const forgotten = versionsOf(['report', 'report', 'remove', 'undeclare', 'crowd out', 'declare', 'report']);
  assert.equal(forgotten.length, 4);
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...STEPS), { maxLength: 12 }), (steps) => void versionsOf(steps)),
    { numRuns: 60 },
  );
});

void test('a property that was made as integer is published as the model says once it is declared', () => {
  const made = applied(start(), { ...actual('extra', '5'), typeName: 'integer' }).after;

  const { twin } = applyDefinition(made, { previous: BOILER, next: defined(true), revision: 8 }, NOW);

  const { extra = assert.fail() } = twin.properties;
  assert.deepEqual([extra.type, extra.typeName, extra.reported?.value], ['STRING', undefined, '5']);
});
