import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withTimes } from '../../../../../src/edge/uplink/fact-times.ts';
import { twinWithTimes } from '../../../../../src/edge/twin/twin-times.ts';
import type { Change, Fact } from '../../../../../src/model/fact.ts';
import type { Twin } from '../../../../../src/model/twin.ts';

const SET_AT = Date.UTC(2026, 5, 1);
const timeOf = (stamp: number): number => (stamp < SET_AT ? SET_AT + stamp : stamp);
const PUMP = { namespace: 'default', name: 'pump', uid: 'uid-1', binding: 1 };

const factOf = (at: number, changes: readonly Change[]): Fact => ({
  ...{ device: { namespace: 'default', name: 'pump' }, uid: 'uid-1', binding: 1 },
  at,
  changes,
});

const changesAt = (at: number): readonly Change[] => [
  { kind: 'reported', property: 'count', type: 'INT', value: '1', n: 1, deviceTime: 17 },
  { kind: 'state', state: 'offline', n: 2, seenAt: at },
  { kind: 'gap', reason: 'bytes', changes: 3, from: 1, through: 4, since: at, until: at + 1 },
  { kind: 'rejected', count: 2, reason: 'no', since: at, until: at + 1 },
  { kind: 'override', n: 1, standing: [{ property: 'count', value: '2', revision: 1, at }], ended: [] },
];

void test('every stamp of a fact is told as a time, and the word of the device about its own clock is left', () => {
  assert.deepEqual(withTimes(factOf(5, changesAt(6)), timeOf), factOf(SET_AT + 5, changesAt(SET_AT + 6)));
});

void test('a fact with one stamp in it that tells no time is not taken for a known one', () => {
  const told = withTimes(factOf(SET_AT, changesAt(6)), timeOf);

  assert.deepEqual(told, factOf(SET_AT, changesAt(SET_AT + 6)));
});

void test('what was stamped with the time is passed on as it is', () => {
  const fact = factOf(SET_AT, changesAt(SET_AT));

  assert.equal(withTimes(fact, timeOf), fact);
});

const twinAt = (at: number): Twin => ({
  ...PUMP,
  properties: {
    count: {
      type: 'INT',
      reported: { value: '1', n: 1, at, deviceTime: 17 },
      desired: { value: '2', n: 1, at, revision: 3, origin: 'cloud' },
      observedDesired: { value: '2', n: 1, at },
    },
    gone: { type: 'INT', undesired: { n: 4, at } },
  },
  state: { state: 'online', n: 1, at, seenAt: at + 1 },
  overrides: { properties: [], n: 1, at },
});

void test('every stamp of a twin is told as a time, and a twin with none stays the same', () => {
  assert.deepEqual(twinWithTimes(twinAt(5), timeOf), twinAt(SET_AT + 5));
  const known = twinAt(SET_AT);
  assert.equal(twinWithTimes(known, timeOf), known);
});
