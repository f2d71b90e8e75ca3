import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DeviceDefinition, Keep, PropertyDefinition } from '../../../../src/model/device.ts';
import type { Change, PropertyChange } from '../../../../src/model/fact.ts';
import { owesFacts, tellOwed } from '../../../../src/model/reported-rules.ts';
import { emptyTwin, type Twin } from '../../../../src/model/twin.ts';
import { applyUpdate } from '../../../../src/model/twin-rules.ts';

const NOW = Date.UTC(2026, 0, 1);
const INTERVAL = 1000;
const SAMPLED: Keep = { sampledEvery: INTERVAL };

function boiler(keep: Keep | undefined, more: Partial<PropertyDefinition> = {}): DeviceDefinition {
  const temp: PropertyDefinition = { name: 'temp', type: 'INT', accessMode: 'ReadWrite', ...more };
  const properties = [keep === undefined ? temp : { ...temp, keep }];
  return { namespace: 'plant', name: 'boiler', uid: 'u1', binding: 1, protocol: 'virtual', properties };
}

const isReported = (change: Change): change is PropertyChange => change.kind === 'reported';

/** A device whose reports of one property are applied one after the other, and what of them became facts. */
class Reports {
  twin: Twin = emptyTwin(boiler(undefined));
  readonly told: { readonly change: PropertyChange; readonly at: number }[] = [];

  report(value: number | string, at: number, definition: DeviceDefinition, deviceTime?: number): void {
    const actual = { raw: value, ...(deviceTime === undefined ? {} : { deviceTime }) };
    const outcome = applyUpdate(this.twin, definition, [{ property: 'temp', actual }], at);
    assert.equal(outcome.kind, 'applied');
    this.twin = outcome.after;
    for (const change of [...outcome.changes, ...outcome.telemetry])
      if (isReported(change)) this.told.push({ change, at });
  }

  settle(at: number, definition: DeviceDefinition): void {
    for (let owed = tellOwed(this.twin, definition, at); owed !== undefined;) {
      this.twin = owed.after;
      this.told.push({ change: owed.change, at });
      owed = tellOwed(this.twin, definition, at);
    }
  }

  get values(): readonly string[] {
    return this.told.map(({ change }) => change.value);
  }

  get reported() {
    return this.twin.properties['temp']?.reported ?? assert.fail('nothing was reported');
  }
}

function told(keep: Keep | undefined, values: readonly number[], every = 0): Reports {
  const reports = new Reports();
  for (const [step, value] of values.entries()) reports.report(value, NOW + step * every, boiler(keep));
  return reports;
}

void test('keep changes, the default: every change of value is a fact, a repeated value is none', () => {
  assert.deepEqual(told(undefined, [1, 1, 2, 2, 1]).values, ['1', '2', '1']);
  assert.deepEqual(told('changes', [1, 1, 2, 2, 1]).values, ['1', '2', '1']);
});

void test('keep all: every report is a fact, and repeated values are ordered by their versions', () => {
  const { told: facts } = told('all', [1, 1, 2, 2]);

  assert.deepEqual(
    facts.map(({ change }) => [change.value, change.n]),
    [
      ['1', 1],
      ['1', 2],
      ['2', 3],
      ['2', 4],
    ],
  );
});

void test('keep last: as changes, and each says that a newer one may stand for it', () => {
  const { told: facts } = told('last', [1, 1, 2]);

  assert.deepEqual(
    facts.map(({ change }) => [change.value, change.isCompactable]),
    [
      ['1', true],
      ['2', true],
    ],
  );
  assert.ok(told('changes', [1, 2]).told.every(({ change }) => !('isCompactable' in change)));
});

void test('keep sampled: one change in an interval is a fact; the others move the twin', () => {
  const reports = told(SAMPLED, [1, 2, 3, 4, 5], 400);

  assert.deepEqual(reports.values, ['1', '4']);
  assert.deepEqual(reports.reported, { value: '5', n: 5, at: NOW + 1600, told: { n: 4, at: NOW + 1200 } });
});

void test('a sampled property whose device falls silent owes its last value, and tells it when the interval is over', () => {
  const reports = told(SAMPLED, [1, 2], 400);
  assert.ok(owesFacts(reports.twin));

  reports.settle(NOW + INTERVAL - 1, boiler(SAMPLED));
  assert.deepEqual(reports.values, ['1']);

  const owed = tellOwed(reports.twin, boiler(SAMPLED), NOW + INTERVAL) ?? assert.fail('nothing is owed');
  assert.equal(owed.at, NOW + 400, 'when it was received, not when it is told');
  assert.deepEqual(owed.change, { kind: 'reported', property: 'temp', type: 'INT', value: '2', n: 2 });
  assert.ok(!owesFacts(owed.after));
});

void test('a repeated value that is owed is told under the version it has', () => {
  const reports = told(SAMPLED, [1, 2], 400);

  reports.report(2, NOW + INTERVAL, boiler(SAMPLED));

  assert.deepEqual(
    reports.told.map(({ change }) => change.n),
    [1, 2],
  );
});

void test('a clock that was set back begins a new interval', () => {
  const reports = told(SAMPLED, [1]);

  reports.report(2, NOW - 3_600_000, boiler(SAMPLED));

  assert.deepEqual(reports.values, ['1', '2']);
});

void test('a property that is no longer sampled tells at once what it owes', () => {
  const reports = told(SAMPLED, [1, 2], 10);
  reports.settle(NOW + 11, boiler('changes'));
  assert.deepEqual(reports.values, ['1', '2']);

  const repeated = told(SAMPLED, [1, 2], 10);
  repeated.report(2, NOW + 11, boiler(undefined));
  assert.deepEqual(repeated.values, ['1', '2']);
  assert.deepEqual(repeated.reported, { value: '2', n: 2, at: NOW + 11 });
});

void test('values and confirmations of a telemetry property stand apart from the state of the device', () => {
  const definition = boiler(undefined, { class: 'telemetry' });
  const updates = [{ property: 'temp', actual: { raw: 5 }, expected: { raw: 5 } }];
  const outcome = applyUpdate(emptyTwin(definition), definition, updates, NOW);
  assert.equal(outcome.kind, 'applied');

  assert.deepEqual(
    outcome.telemetry.map(({ kind }) => kind),
    ['observed', 'reported'],
  );
  assert.deepEqual(outcome.changes, [{ kind: 'state', state: 'online', n: 1 }]);
  const sampled = boiler(SAMPLED, { class: 'telemetry' });
  const reports = new Reports();
  for (const value of [1, 2]) reports.report(value, NOW, sampled);
  assert.equal(tellOwed(reports.twin, sampled, NOW + INTERVAL)?.isTelemetry, true);
});

void test('what is withheld now is named, so that it can be refused where it would never fit', () => {
  const definition = boiler(SAMPLED);
  const { twin } = told(SAMPLED, [1]);

  const outcome = applyUpdate(twin, definition, [{ property: 'temp', actual: { raw: 2 } }], NOW + 1);

  assert.deepEqual(outcome.kind === 'applied' && outcome.owed, [
    { kind: 'reported', property: 'temp', type: 'INT', value: '2', n: 2 },
  ]);
});

// Whatever a device reports, whenever, and whatever people make of its history meanwhile.

const keep = fc.constantFrom<Keep | undefined>(undefined, 'changes', 'all', 'last', SAMPLED, { sampledEvery: 70 });
const step = fc.record({
  value: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
  after: fc.integer({ min: 0, max: 1500 }),
});
const steps = fc.array(step, { minLength: 1, maxLength: 30 });

/** `undefined` as value: time passes, and what is owed is told. */
function play(
  reports: Reports,
  { value, at, keep: now }: { value?: number; at: number; keep: Keep | undefined },
): void {
  if (value === undefined) reports.settle(at, boiler(now));
  else reports.report(value, at, boiler(now));
}

void test('sampled: never two facts within an interval, and the newest value is told or owed at any time', () => {
  fc.assert(
    fc.property(steps, (played) => {
      const reports = new Reports();
      let at = NOW;
      for (const { value, after } of played) {
        at += after;
        play(reports, { ...(value === undefined ? {} : { value }), at, keep: SAMPLED });
        assertNewestTold(reports);
      }
      const times = reports.told.map((one) => one.at);
      for (const [place, time] of times.slice(1).entries()) assert.ok(time - (times[place] ?? 0) >= INTERVAL);
    }),
    { numRuns: 2000 },
  );
});

void test('whatever keep says, and however it and the clock change: versions grow, and in the end the newest value is told', () => {
  const moves = fc.array(
    fc.record({
      value: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
      after: fc.integer({ min: -2000, max: 1500 }),
      keep,
    }),
    { minLength: 1, maxLength: 30 },
  );
  fc.assert(
    fc.property(moves, (played) => {
      const reports = new Reports();
      let at = NOW;
      for (const { value, after, keep: chosen } of played) {
        at += after;
        play(reports, { ...(value === undefined ? {} : { value }), at, keep: chosen });
        assertNewestTold(reports);
      }
      reports.settle(at + INTERVAL, boiler(SAMPLED));
      assert.ok(!owesFacts(reports.twin));
      const versions = reports.told.map(({ change }) => change.n);
      for (const [place, n] of versions.slice(1).entries()) assert.ok(n > (versions[place] ?? 0), versions.join(' '));
      const last = reports.told.at(-1)?.change;
      assert.deepEqual(last?.value, reports.twin.properties['temp']?.reported?.value);
      assert.deepEqual(last?.n, reports.twin.properties['temp']?.reported?.n);
    }),
    { numRuns: 2000 },
  );
});

function assertNewestTold({ twin, told: facts }: Reports): void {
  const newest = twin.properties['temp']?.reported;
  const isTold = facts.at(-1)?.change.n === newest?.n && facts.at(-1)?.change.value === newest?.value;
  assert.notEqual(isTold, owesFacts(twin), JSON.stringify(newest));
}
