import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { stateMessage } from '../../../../../src/edge/uplink/state-message.ts';
import type { Change, Fact } from '../../../../../src/model/fact.ts';
import { decodeBatch } from '../../../../../src/wire/device-events.ts';
import { MAX_MESSAGE_BYTES } from '../../../../../src/wire/limits.ts';

const STAMP = { node: 'edge-a', id: 'state.uid-1.1767225600000', term: 3, historical: false };
const OF_DEVICE: readonly Change[] = [
  { kind: 'state', state: 'online', n: 4 },
  { kind: 'override', n: 1, standing: [{ property: 'p0', value: 'x', revision: 1, at: 0 }], ended: [] },
];

const property = (name: string, length: number): Change => ({
  ...{ kind: 'reported', property: name, type: 'STRING', n: 1 },
  value: 'a'.repeat(length),
});

const factOf = (lengths: readonly number[]): Fact => ({
  ...{ device: { namespace: 'default', name: 'boiler' }, uid: 'uid-1', binding: 1, at: 1_767_225_600_000 },
  changes: [...lengths.map((length, place) => property(`p${place}`, length)), ...OF_DEVICE],
});

function eventsIn(bytes: Uint8Array) {
  const batch = decodeBatch(bytes);
  return batch.kind === 'ok' ? batch.events : assert.fail(batch.reason);
}

void test('whatever a twin holds, its state fits a message, and state and overrides are always in it', () => {
  const length = fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 400_000 }));
  fc.assert(
    fc.property(fc.array(length, { maxLength: 12 }), fc.nat({ max: 4000 }), (long, short) => {
      const fact = factOf([...long, ...Array.from({ length: short }, () => 10)]);
      const { bytes, leftOut } = stateMessage(fact, STAMP, MAX_MESSAGE_BYTES);
      const events = eventsIn(bytes);
      assert.ok(bytes.length <= MAX_MESSAGE_BYTES - 1024);
      assert.equal(events.length + leftOut, fact.changes.length);
      assert.deepEqual(
        events.filter(({ kind }) => kind === 'state' || kind === 'override').map(({ kind }) => kind),
        ['state', 'override'],
      );
    }),
    { numRuns: 60 },
  );
});

void test('one long value is left out, and all others go', () => {
  const { bytes, leftOut } = stateMessage(factOf([5, 900_000, 5, 400_000]), STAMP, MAX_MESSAGE_BYTES);

  assert.equal(leftOut, 1);
  const properties = eventsIn(bytes).filter(({ kind }) => kind === 'reported');
  assert.deepEqual(properties.map((event) => event.property).sort(), ['p0', 'p2', 'p3']);
});

void test('what fits goes as it is, in its order', () => {
  const { bytes, leftOut } = stateMessage(factOf([3, 1]), STAMP, MAX_MESSAGE_BYTES);

  assert.equal(leftOut, 0);
  assert.deepEqual(
    eventsIn(bytes).map(({ kind }) => kind),
    ['reported', 'reported', 'state', 'override'],
  );
});

void test('a server that takes less gets less', () => {
  const { bytes, leftOut } = stateMessage(factOf([5, 90_000, 5]), STAMP, 65_536);

  assert.equal(leftOut, 1);
  assert.ok(bytes.length < 65_536);
});
