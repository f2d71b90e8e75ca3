import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  applyObservation,
  applyState,
  isPresent,
  judge,
  lastSeen,
  ownClientIds,
  seenOnline,
  type Evidence,
} from '../../../../src/model/state-rules.ts';
import { emptyTwin, type Twin } from '../../../../src/model/twin.ts';

const EMPTY = emptyTwin({ namespace: 'default', name: 'boiler', uid: 'u1', binding: 1 });
const inState = (state: string | undefined): Twin =>
  state === undefined ? EMPTY : applyState(EMPTY, state, 1000).twin;

void test('what the node notices follows the table of cases', () => {
  const table: [before: string | undefined, evidence: Evidence, after: string | undefined][] = [
    [undefined, 'connected', 'online'],
    ['offline', 'connected', 'online'],
    ['unknown', 'connected', 'online'],
    ['OK', 'connected', undefined],
    ['Unhealthy', 'connected', undefined],
    ['online', 'client-gone', 'offline'],
    ['unhealthy', 'client-gone', 'offline'],
    ['unknown', 'client-gone', 'offline'],
    ['OFFLINE', 'client-gone', undefined],
    ['online', 'mapper-gone', 'unknown'],
    ['offline', 'mapper-gone', undefined],
    ['ok', 'silence', 'unknown'],
    ['offline', 'silence', undefined],
    ['unknown', 'silence', undefined],
    [undefined, 'silence', 'unknown'],
    [undefined, 'mapper-gone', 'unknown'],
    [undefined, 'client-not-back', 'unknown'],
    [undefined, 'client-gone', 'offline'],
    ['online', 'client-not-back', 'unknown'],
  ];
  for (const [before, evidence, after] of table) assert.equal(judge(before, evidence), after, `${before} ${evidence}`);
});

void test("a state is kept in its sender's spelling, and saying it again is no change but a sign of life", () => {
  const first = applyState(EMPTY, 'OK', 1000);
  assert.deepEqual(first.changes, [{ kind: 'state', state: 'OK', n: 1 }]);

  const again = applyState(first.twin, 'OK', 2000);
  assert.deepEqual(again.changes, []);
  assert.deepEqual(again.twin.state, { state: 'OK', n: 1, at: 1000, seenAt: 2000 });

  assert.equal(applyState(again.twin, 'ok', 3000).changes.length, 1);
});

void test('being declared away moves no sign of life, and tells the last one', () => {
  const reported = seenOnline(EMPTY, [{ property: 'count', actual: { raw: 1 } }], 5000).twin;
  assert.equal(lastSeen(reported), 5000);

  const silent = applyObservation(reported, { evidence: 'silence' }, 9000);
  assert.deepEqual(silent.changes, [{ kind: 'state', state: 'unknown', n: 2, seenAt: 5000, cause: 'silence' }]);
  assert.equal(lastSeen(silent.twin), 5000);

  const gone = applyObservation(reported, { evidence: 'client-gone', seenAt: 7000 }, 9000);
  assert.equal(lastSeen(gone.twin), 7000);
  assert.equal(lastSeen(applyState(gone.twin, 'offline', 9500).twin), 7000);
});

void test('a report tells when a device was alive also where its state said so before', () => {
  const online = inState('online');
  const reported = { type: 'INT', reported: { value: '1', n: 1, at: 4000 } } as const;
  assert.equal(lastSeen({ ...online, properties: { count: reported } }), 4000);
});

void test('the client that vouches is noted without a change, and nothing is new where nothing is', () => {
  const online = inState('online');
  const noted = applyObservation(online, { client: 'c1' }, 2000);
  assert.equal(noted.twin.state?.client, 'c1');
  assert.deepEqual(noted.changes, []);
  assert.equal(applyObservation(noted.twin, { client: 'c1' }, 3000).twin, noted.twin);
  assert.equal(applyState(noted.twin, 'unhealthy', 3000).twin.state?.client, 'c1');
  assert.equal('client' in (applyObservation(noted.twin, {}, 3000).twin.state ?? {}), false);
  assert.equal(applyObservation(EMPTY, { client: 'c1' }, 2000).twin, EMPTY);
});

void test('a client is the device itself by the name that its Device gives, else by the name of the device', () => {
  const boiler = { ...EMPTY, protocol: 'mqtt', properties: [] };
  assert.deepEqual(ownClientIds(boiler), ['default/boiler', 'boiler']);
  assert.deepEqual(ownClientIds({ ...boiler, namespace: 'plant' }), ['plant/boiler']);
  assert.deepEqual(ownClientIds({ ...boiler, protocolConfig: { clientID: 'plc-7' } }), ['plc-7']);
  for (const clientID of ['', 7, null])
    assert.deepEqual(ownClientIds({ ...boiler, protocolConfig: { clientID } }), ['default/boiler', 'boiler']);
  assert.deepEqual(ownClientIds({ ...boiler, protocolConfig: null }), ['default/boiler', 'boiler']);
});

const words = fc.constantFrom('online', 'Online', 'offline', 'ok', 'unknown', 'UNHEALTHY');
const evidences = fc.constantFrom<Evidence>('connected', 'client-gone', 'client-not-back', 'mapper-gone', 'silence');
const steps = fc.oneof(
  words.map((state) => (twin: Twin, now: number) => applyState(twin, state, now)),
  evidences.map((evidence) => (twin: Twin, now: number) => applyObservation(twin, { evidence }, now)),
  fc.constant((twin: Twin, now: number) => seenOnline(twin, [{ property: 'p', actual: { raw: 1 } }], now)),
);

void test('whatever happens: each change counts up, none repeats the state before, and after evidence the same evidence is no news', () => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 40 }), evidences, (history, evidence) => {
      let twin: Twin = EMPTY;
      let now = 1000;
      for (const step of history) {
        now += 10;
        const { twin: after, changes } = step(twin, now);
        const [change] = changes;
        assert.equal(after.state?.n ?? 0, (twin.state?.n ?? 0) + changes.length);
        if (change === undefined) assert.equal(after.state?.state, twin.state?.state);
        else assert.notEqual(change.state, twin.state?.state);
        assert.ok((lastSeen(after) ?? 0) >= (lastSeen(twin) ?? 0), 'no sign of life is forgotten');
        assert.ok((lastSeen(after) ?? 0) <= now);
        twin = after;
      }
      const judged = applyObservation(twin, { evidence }, now + 10).twin;
      assert.equal(applyObservation(judged, { evidence }, now + 20).changes.length, 0);
      if (evidence !== 'connected') assert.ok(!isPresent(judged.state?.state));
    }),
  );
});
