import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  declaredProperties,
  momentOf,
  projectAll,
  projectEvent,
  type ProjectedDevice,
} from '../../../../../src/cloud/upstream/status-projector.ts';
import type {
  DeviceModelResource,
  DeviceResource,
  DeviceStatus,
} from '../../../../../src/cloud/kubernetes/resources.ts';
import { compareVersions, formatVersion, type Version } from '../../../../../src/model/version.ts';
import type { DeviceEvent } from '../../../../../src/wire/device-events.ts';

const DECLARED = ['count', 'status', 'label'];
const MOMENT = Date.parse('2026-03-01T10:00:00.250Z');

const device: ProjectedDevice = {
  ...{ uid: 'uid-1', name: 'default/boiler', properties: DECLARED },
  desiredOf: () => undefined,
};

function event(changes: Partial<DeviceEvent> = {}): DeviceEvent {
  return {
    id: 'i.1.0',
    kind: 'reported',
    node: 'edge-a',
    device: { namespace: 'default', name: 'counter' },
    uid: 'uid-1',
    property: 'count',
    type: 'INT',
    value: '7',
    version: { binding: 1, term: 2, n: 3 },
    receivedAt: MOMENT,
    historical: false,
    ...changes,
  };
}

const project = (status: DeviceStatus, changes: Partial<DeviceEvent> = {}): DeviceStatus => {
  const next = projectEvent(device, status, event(changes));
  assert.notEqual(next, 'stale');
  return next as DeviceStatus;
};

test('a reported value stands in the status with its version, type and time', () => {
  const status = project({}, { deviceTime: 1234 });

  assert.deepEqual(status.twins, [
    { propertyName: 'count', reported: { value: '7', metadata: { timestamp: '1234', type: 'INT', version: '1.2.3' } } },
  ]);
  assert.equal(status.summary, 'count=7');
});

test('an older or the same version is stale, whatever the clocks say', () => {
  const status = project({});

  assert.equal(projectEvent(device, status, event({ value: '8' })), 'stale');
  assert.equal(projectEvent(device, status, event({ value: '8', version: { binding: 1, term: 2, n: 2 } })), 'stale');
  assert.equal(projectEvent(device, status, event({ value: '8', version: { binding: 1, term: 1, n: 9 } })), 'stale');
});

test('a higher term or binding is newer although it counts from one again', () => {
  const status = project({});

  assert.equal(project(status, { value: '8', version: { binding: 1, term: 3, n: 1 } }).summary, 'count=8');
  assert.equal(project(status, { value: '9', version: { binding: 2, term: 1, n: 1 } }).summary, 'count=9');
});

test('what is about an earlier object of the same name is stale', () => {
  assert.equal(projectEvent(device, {}, event({ uid: 'uid-0' })), 'stale');
});

test('a property that the spec does not declare leaves no twin, but shows that the device lives', () => {
  const status = project({}, { property: 'secret' });

  assert.equal(status.twins, undefined);
  assert.equal(status.lastOnlineTime, '2026-03-01T10:00:00Z');
});

test('a device that reports is online until it says otherwise', () => {
  const reported = project({});
  assert.equal(reported.state, 'online');

  const offline = project(reported, {
    kind: 'state',
    property: '',
    value: 'offline',
    version: { binding: 1, term: 2, n: 1 },
  });
  assert.equal(offline.state, 'offline');
  assert.equal(project(offline, { version: { binding: 1, term: 2, n: 4 } }).state, 'offline');
});

test('an observed desired value stands beside the reported one', () => {
  const status = project(project({}), { kind: 'observed', value: '5' });

  assert.equal(status.twins?.[0]?.observedDesired?.value, '5');
  assert.equal(status.twins[0].reported?.value, '7');
  assert.equal(status.summary, 'count=7');
});

test('the summary names values in declared order, shortens long ones and itself', () => {
  const long = 'x'.repeat(60);
  const status = project(project({}, { property: 'label', value: long }), { property: 'count' });

  assert.equal(status.summary, `count=7, label=${'x'.repeat(39)}…`);
  const wide = { ...device, properties: Array.from({ length: 20 }, (_, n) => `property-${n}`) };
  const events = wide.properties.map((name) => event({ property: name, value: 'y'.repeat(30) }));
  assert.equal(projectAll(wide, {}, events).summary?.length, 200);
});

test('fields that other programs keep in the status stay', () => {
  const before = { reportToCloud: true } as DeviceStatus;

  assert.deepEqual((project(before) as Record<string, unknown>)['reportToCloud'], true);
});

const versionOf = fc.record({
  binding: fc.integer({ min: 1, max: 2 }),
  term: fc.integer({ min: 1, max: 2 }),
  n: fc.integer({ min: 1, max: 4 }),
});

/** The value is a function of what it is the value of, as it is on a real node: one version, one value. */
const eventOf = fc
  .record({
    kind: fc.constantFrom('reported' as const, 'observed' as const, 'state' as const, 'removed' as const),
    property: fc.constantFrom(...DECLARED, 'undeclared'),
    version: versionOf,
    uid: fc.constantFrom('uid-1', 'uid-1', 'uid-1', 'uid-0'),
    moment: fc.integer({ min: 0, max: 10_000_000 }),
  })
  .map(({ kind, property, version, uid, moment }) =>
    event({
      kind,
      uid,
      version,
      property: kind === 'state' ? '' : property,
      value:
        kind === 'state' && version.n % 2 === 0 ? 'online' : `${property} at ${formatVersion(version)}`.slice(0, 40),
      receivedAt: MOMENT + moment,
      ...(kind === 'state' && version.n % 2 === 1 ? { value: `offline ${formatVersion(version)}` } : {}),
    }),
  );

test('G4: any order, repetition and batching of the same events ends in the same status', () => {
  fc.assert(
    fc.property(
      fc.array(eventOf, { maxLength: 20 }).chain((events) =>
        fc.record({
          events: fc.constant(events),
          disordered: fc.array(fc.nat({ max: Math.max(0, events.length - 1) }), { maxLength: 20 }).chain((repeats) =>
            fc.shuffledSubarray([...events, ...repeats.flatMap((place) => events[place] ?? [])], {
              minLength: events.length === 0 ? 0 : events.length + repeats.length,
            }),
          ),
        }),
      ),
      ({ events, disordered }) => {
        // The times of one version differ between repetitions only in this test; on a node they are one.
        const stamped = (list: readonly DeviceEvent[]): DeviceEvent[] =>
          list.map((one) => ({ ...one, deviceTime: one.version.n }));

        // Empty and absent are one: a value that was there and is gone leaves the one, late news of it the other.
        const ends = (list: readonly DeviceEvent[]): DeviceStatus => ({
          summary: '',
          ...projectAll(device, {}, stamped(list)),
        });
        assert.deepEqual(ends(disordered), ends(events));
      },
    ),
    { numRuns: 500 },
  );
});

const isAfter = (one: Version, other: Version | undefined): boolean =>
  other === undefined || compareVersions(one, other) > 0;

test('a removed property has no value until it is reported again, whatever arrives late', () => {
  const reported = project(project({}), { kind: 'observed', value: '8' });
  const version = (n: number): Version => ({ binding: 1, term: 2, n });

  const removed = project(reported, { kind: 'removed', version: version(4) });
  assert.deepEqual(removed.twins, [{ propertyName: 'count', removedVersion: '1.2.4' }]);
  assert.equal(removed.summary, '');
  assert.equal(projectEvent(device, removed, event()), 'stale');
  assert.equal(projectEvent(device, removed, event({ kind: 'removed' })), 'stale');

  const back = project(removed, { version: version(5), value: '9' });
  assert.equal(back.summary, 'count=9');
  assert.equal(projectEvent(device, back, event({ kind: 'observed', version: version(4) })), 'stale');
  assert.equal(projectEvent(device, back, event({ kind: 'removed', version: version(4) })), 'stale');
});

test('a removal that arrives behind what came back leaves it', () => {
  const back = project({}, { version: { binding: 1, term: 2, n: 5 } });

  const status = project(back, { kind: 'removed', version: { binding: 1, term: 2, n: 4 } });

  assert.equal(status.summary, 'count=7');
});

test('G4: the status shows the newest version of each property and never an older one on the way', () => {
  fc.assert(
    fc.property(fc.array(eventOf, { maxLength: 25 }), (events) => {
      let status: DeviceStatus = {};
      const newest = { reported: new Map<string, Version>(), removed: new Map<string, Version>() };
      for (const one of events) {
        const next = projectEvent(device, status, one);
        status = next === 'stale' ? status : next;
        const { kind, property } = one;
        if ((kind !== 'reported' && kind !== 'removed') || one.uid !== 'uid-1' || !DECLARED.includes(property))
          continue;
        if (isAfter(one.version, newest[kind].get(property))) newest[kind].set(property, one.version);
        const [reported, removed] = [newest.reported.get(property), newest.removed.get(property)];
        const expected = reported !== undefined && isAfter(reported, removed) ? formatVersion(reported) : undefined;
        const shown = status.twins?.find(({ propertyName }) => propertyName === property)?.reported;
        assert.equal(shown?.metadata?.['version'], expected);
      }
    }),
    { numRuns: 300 },
  );
});

test('a property that only the DeviceModel names belongs to the Device too, after those its spec lists', () => {
  const resource = {
    metadata: { uid: 'uid-1' },
    spec: { properties: [{ name: 'status' }] },
  } as unknown as DeviceResource;
  const model = { spec: { properties: [{ name: 'count' }, { name: 'status' }] } } as unknown as DeviceModelResource;

  assert.deepEqual(declaredProperties(resource, model), ['status', 'count']);
  assert.deepEqual(declaredProperties(resource, undefined), ['status']);
});

test('when a device lived is told by a clock that can be trusted, whatever the clock of its node says', () => {
  const [storedAt, before, beforehand] = [MOMENT, MOMENT - 3_600_000, MOMENT + 3_600_000];
  const live = (receivedAt: number): number => momentOf(event({ receivedAt }), 'fact', storedAt);
  const late = (receivedAt: number): number => momentOf(event({ receivedAt, historical: true }), 'fact', storedAt);
  const state = (receivedAt: number): number => momentOf(event({ receivedAt }), 'state', storedAt);

  assert.deepEqual([live(0), live(before), live(beforehand)], [storedAt, storedAt, storedAt]);
  assert.deepEqual([late(0), late(before), late(beforehand)], [0, before, storedAt]);
  assert.deepEqual([state(before), state(beforehand)], [before, storedAt]);

  const now: ProjectedDevice = { ...device, livedAt: (one) => momentOf(one, 'fact', storedAt) };
  const status = projectAll(now, {}, [event({ receivedAt: 0 }), event({ receivedAt: beforehand * 2 })]);
  assert.equal(status.lastOnlineTime, '2026-03-01T10:00:00Z');
});

test('a device that is found to be away was last seen before that, by a clock that can be trusted', () => {
  const away = {
    kind: 'state',
    property: '',
    value: 'offline',
    receivedAt: 9_000,
    seenAt: 4_000,
    cause: 'silence',
  } as const;
  const storedAt = MOMENT + 60_000;
  const judged = (changes: Partial<DeviceEvent>, what: 'state' | 'fact'): string | undefined => {
    const now: ProjectedDevice = { ...device, livedAt: (one) => momentOf(one, what, storedAt) };
    const status = projectEvent(now, {}, event({ ...away, ...changes }));
    return status === 'stale' ? status : status.lastOnlineTime;
  };

  assert.equal(judged({}, 'fact'), '2026-03-01T10:00:55Z');
  assert.equal(judged({ historical: true }, 'fact'), '1970-01-01T00:00:04Z');
  assert.equal(judged({ seenAt: storedAt + 5_000 }, 'fact'), '2026-03-01T10:01:00Z');
  const said = project({}, { kind: 'state', property: '', value: 'offline' });
  assert.ok(!('lastOnlineTime' in said), 'the word alone is no sign of life');
});

test('a state says in any case that the device is alive, and stands as it was said', () => {
  for (const value of ['online', 'OK', 'Online']) {
    const status = project({}, { kind: 'state', property: '', value });
    assert.deepEqual([status.state, status.lastOnlineTime], [value, '2026-03-01T10:00:00Z']);
  }
  const offline = project(project({}, { kind: 'state', property: '', value: 'online' }), {
    ...{ kind: 'state', property: '', value: 'Offline', version: { binding: 1, term: 2, n: 4 } },
    receivedAt: MOMENT + 5_000,
  });
  assert.deepEqual([offline.state, offline.lastOnlineTime], ['Offline', '2026-03-01T10:00:00Z']);
});

test('an override of a property that the hub does not know yet stands in the status', () => {
  const override = { standing: [{ property: 'brand-new', value: '5', revision: 0, at: MOMENT }], ended: [] };

  const status = project({}, { kind: 'override', property: '', value: '', override });

  assert.deepEqual(
    status.overrides?.properties?.map(({ propertyName, value }) => [propertyName, value]),
    [['brand-new', '5']],
  );
});
