import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  fittingMessage,
  LARGEST_FACT,
  tooLargeToSend,
  tooLargeToUpload,
  type Teller,
} from '../../../../../src/edge/ingress/fact-size.ts';
import type { Change, OverrideChange } from '../../../../../src/model/fact.ts';
import { encodeBatch, encodeFact, type Stamp } from '../../../../../src/wire/device-events.ts';
import { MAX_MESSAGE_BYTES } from '../../../../../src/wire/limits.ts';

const HEADERS = 8 * 1024;
/** What an event holds around its value, about. */
const AROUND = 700;
const name = (most: number) => fc.nat({ max: most }).map((more) => 'n'.repeat(1 + more));

const teller: fc.Arbitrary<Teller> = fc.record({
  node: name(252),
  twin: fc.record({ namespace: name(62), name: name(252), uid: fc.uuid(), binding: fc.maxSafeNat() }),
  eventId: fc.string({ maxLength: 60 }),
});

const stampOf = (node: string): fc.Arbitrary<Stamp> =>
  fc.record({
    node: fc.constant(node),
    id: fc.maxSafeNat().map((sequence) => `${'f'.repeat(16)}.${sequence}`),
    term: fc.maxSafeNat(),
    historical: fc.boolean(),
  });

/** A list of changes in short, so that a counterexample can be read. */
interface Shape {
  readonly count: number;
  readonly letter: string;
  readonly n: number;
  readonly isTimed: boolean;
  /** Of the values together, by what a message holds: a little below or above it whatever is not counted shows. */
  readonly fill: number;
}

const shape: fc.Arbitrary<Shape> = fc.record({
  count: fc.constantFrom(1, 3, 30, 300, 1000),
  letter: fc.constantFrom('a', 'é', '\u0001', '𝄞'),
  n: fc.maxSafeNat(),
  isTimed: fc.boolean(),
  fill: fc.double({ min: 0.5, max: 1.2, noNaN: true }),
});

function changesOf({ count, letter, n, isTimed, fill }: Shape): readonly Change[] {
  const room = (MAX_MESSAGE_BYTES / count - AROUND) / Buffer.byteLength(JSON.stringify(letter).slice(1, -1));
  const value = letter.repeat(Math.floor(room * fill));
  const time = isTimed ? { deviceTime: 1_767_225_600_000 } : {};
  return Array.from({ length: count }, (_, place) => ({
    ...{ kind: 'reported', property: `p${place}`, type: 'STRING', value, n },
    ...time,
  }));
}

const bytesOf = ({ twin, eventId }: Teller, told: readonly Change[], stamp: Stamp): number => {
  const { namespace, name: device, uid, binding } = twin;
  const about = { device: { namespace, name: device }, uid, binding };
  const fact = { ...about, at: 1_767_225_600_000, changes: told, ...(eventId === '' ? {} : { eventId }) };
  return encodeBatch([encodeFact(fact, stamp)]).length;
};

void test('whatever is admitted fits a message with its headers, however its node, place and term are named', () => {
  const seen = { admitted: 0, refused: 0 };
  const whole = teller.chain((one) => fc.tuple(fc.constant(one), shape, stampOf(one.node)));
  fc.assert(
    fc.property(whole, ([one, shaped, stamp]) => {
      const told = changesOf(shaped);
      const problem = tooLargeToSend(one, [told]);
      seen[problem === undefined ? 'admitted' : 'refused'] += 1;
      if (problem === undefined) assert.ok(bytesOf(one, told, stamp) <= MAX_MESSAGE_BYTES - HEADERS);
    }),
    { numRuns: 150 },
  );
  assert.ok(seen.admitted > 10 && seen.refused > 10, JSON.stringify(seen));
});

void test('what fits with room to spare is admitted', () => {
  const boiler = { node: 'edge-a', twin: { namespace: 'default', name: 'boiler', uid: 'u', binding: 1 }, eventId: '' };
  const value = 'a'.repeat(50);
  const many = Array.from({ length: 1500 }, (_, n): Change => ({
    kind: 'reported',
    property: `p${n}`,
    type: 'STRING',
    value,
    n: 1,
  }));

  assert.equal(tooLargeToSend(boiler, [many]), undefined);
  assert.match(tooLargeToSend(boiler, [[], [...many, ...many]]) ?? '', /^the update needs \d+ bytes in the stream/);
});

void test('a message that is admitted fits, with the device that it is of', () => {
  const topic = `plant/user/${'é'.repeat(200)}`;
  for (let length = LARGEST_FACT - 6000; length < LARGEST_FACT; length += 100) {
    const change = { kind: 'message', topic, payload: { json: `"${'a'.repeat(length)}"` } } as const;
    if (tooLargeToUpload(change) !== undefined) continue;
    const about = { device: { namespace: 'n'.repeat(63), name: 'd'.repeat(253) }, uid: 'u'.repeat(36), binding: 1 };
    const stamp = {
      node: 'e'.repeat(253),
      id: `${'f'.repeat(16)}.${Number.MAX_SAFE_INTEGER}`,
      term: 1,
      historical: true,
    };
    const bytes = encodeBatch([encodeFact({ ...about, at: Date.now(), changes: [change] }, stamp)]).length;
    assert.ok(bytes <= MAX_MESSAGE_BYTES - HEADERS);
  }
});

void test('overrides that ended are left out where there is no room for them, and those that stand are not', () => {
  const boiler = { node: 'edge-a', twin: { namespace: 'default', name: 'boiler', uid: 'u', binding: 1 }, eventId: '' };
  const standing = [{ property: 'recipe', value: 'a'.repeat(900_000), revision: 1, at: 0 }];
  const ends = (count: number): OverrideChange['ended'] =>
    Array.from({ length: count }, (_, n) => ({ property: `p${n}`, value: 'b'.repeat(100), reason: 'CloudChanged' }));
  const change = (count: number) => ({ kind: 'override', n: 1, standing, ended: ends(count) }) as const;

  const few = [change(10)];
  assert.equal(fittingMessage(boiler, few), few);
  assert.deepEqual(fittingMessage(boiler, [change(2000)]), [change(0)]);
});
