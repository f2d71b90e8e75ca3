import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { codeOf } from '../../../../../src/kit/errors.ts';
import { ms } from '../../../../../src/kit/units.ts';
import {
  checkRenewal,
  decodeRegistration,
  join,
  release,
  revocationsOf,
  revoke,
  type Registration,
} from '../../../../../src/cloud/join/registration.ts';

const NODE = 'plant-1';
const as = (publicKey: string) => ({ node: NODE, publicKey });
const refusal = (code: string) => (error: unknown) => codeOf(error) === code;

function must(registration: Registration | undefined): Registration {
  assert.ok(registration);
  return registration;
}

const joined = (publicKey = 'U1'): Registration => must(join(undefined, as(publicKey), 1));

test('a name belongs to the key that joined first, which may join again', () => {
  assert.equal(join(joined(), as('U1'), 2), undefined);
  assert.throws(() => join(joined(), as('U2'), 2), refusal('JOIN_NAME_TAKEN'));
});

test('a revoked node neither joins nor renews until it is released', () => {
  const revoked = must(revoke(joined(), 5));
  for (const key of ['U1', 'U2']) assert.throws(() => join(revoked, as(key), 6), refusal('NODE_REVOKED'));
  assert.throws(() => checkRenewal(revoked, as('U1')), refusal('NODE_REVOKED'));
  assert.equal(revoke(revoked, 7), undefined);
  const free = must(release(revoked, 8));
  assert.equal(must(join(free, as('U2'), 9)).state, 'joined');
});

test('the key that had a released name is refused for good', () => {
  const free = must(release(joined(), 5));
  assert.throws(() => join(free, as('U1'), 6), refusal('JOIN_KEY_REVOKED'));
  assert.throws(() => checkRenewal(free, as('U1')), refusal('NODE_NOT_JOINED'));
  const again = must(join(free, as('U2'), 7));
  const freed = must(release(again, 8));
  assert.throws(() => join(freed, as('U1'), 9), refusal('JOIN_KEY_REVOKED'));
});

test('only the key that joined renews', () => {
  assert.doesNotThrow(() => checkRenewal(joined(), as('U1')));
  assert.throws(() => checkRenewal(joined(), as('U2')), refusal('NODE_NOT_JOINED'));
  assert.throws(() => checkRenewal(undefined, as('U1')), refusal('NODE_NOT_JOINED'));
});

test('the server is told of revoked keys for as long as a JWT of theirs may live', () => {
  const revoked = must(revoke(joined(), 10_400));
  const limits = (now: number) => ({ now, longestLife: ms(1000) });
  assert.deepEqual([...revocationsOf([revoked, joined('U9')], limits(11_400))], [['U1', 11]]);
  assert.deepEqual([...revocationsOf([revoked], limits(11_401))], []);
});

type Step = readonly ['join' | 'revoke' | 'release', string];

/** After each step, what it became; refusals change nothing. */
function history(steps: readonly Step[]): readonly (Registration | undefined)[] {
  const states: (Registration | undefined)[] = [];
  let present: Registration | undefined;
  for (const [step, key] of steps) {
    try {
      if (step === 'join') present = join(present, as(key), states.length) ?? present;
      else if (present !== undefined)
        present = (step === 'revoke' ? revoke : release)(present, states.length) ?? present;
    } catch (error) {
      assert.ok(['NODE_REVOKED', 'JOIN_KEY_REVOKED', 'JOIN_NAME_TAKEN'].includes(codeOf(error) ?? ''));
    }
    states.push(present);
  }
  return states;
}

test('in every history a key that was voided never holds the name again, and a name changes keys only by a release', () => {
  const key = fc.constantFrom('U1', 'U2', 'U3');
  const step: fc.Arbitrary<Step> = fc.tuple(fc.constantFrom('join', 'revoke', 'release'), key);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let before: Registration | undefined;
      for (const state of history(steps)) {
        const voided = state?.revokedKeys.map(({ publicKey }) => publicKey) ?? [];
        assert.equal(state?.state === 'joined' && voided.includes(state.publicKey), false);
        for (const each of before?.revokedKeys ?? []) assert.ok(voided.includes(each.publicKey));
        if (before !== undefined && before.publicKey !== state?.publicKey) assert.equal(before.state, 'released');
        before = state;
      }
    }),
  );
});

test('a registration is read as it was written', () => {
  const kept = must(revoke(joined(), 5));
  assert.deepEqual(decodeRegistration(JSON.parse(JSON.stringify(kept)) as Record<string, unknown>), kept);
  for (const field of ['node', 'publicKey', 'state', 'since'])
    assert.equal(decodeRegistration({ ...kept, [field]: true }), undefined, field);
});
