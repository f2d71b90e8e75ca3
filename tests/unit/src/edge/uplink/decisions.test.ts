// what the newest message of a chain means, and who may hold a node's key
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoreIdentity } from '../../../../../src/edge/store/store-identity.ts';
import { isForeign, resume } from '../../../../../src/edge/uplink/chain.ts';
import { decideClaim } from '../../../../../src/edge/uplink/claim.ts';

const isOurs = (incarnation: string): boolean => ['now', 'earlier'].includes(incarnation);
const BELIEVED = { acknowledged: 10, streamSequence: 500 };

void test('the stream stands where we believed', () => {
  assert.deepEqual(resume({ sequence: 500, messageId: 'now.10' }, BELIEVED, isOurs), { kind: 'as-believed' });
  assert.deepEqual(resume({ sequence: 500, messageId: 'earlier.10' }, BELIEVED, isOurs), { kind: 'as-believed' });
});

void test('an acknowledgement that was lost is found in the stream', () => {
  assert.deepEqual(resume({ sequence: 510, messageId: 'now.14' }, BELIEVED, isOurs), {
    kind: 'move',
    position: { acknowledged: 14, streamSequence: 510 },
  });
});

void test('a stream that lost its tail is filled again from where it stands', () => {
  assert.deepEqual(resume({ sequence: 480, messageId: 'earlier.6' }, BELIEVED, isOurs), {
    kind: 'move',
    position: { acknowledged: 6, streamSequence: 480 },
  });
});

void test('the last word of another store stays, and ours comes behind it', () => {
  for (const messageId of ['stranger.77', undefined, 'no id']) {
    assert.deepEqual(resume({ sequence: 510, messageId }, BELIEVED, isOurs), {
      kind: 'move',
      position: { acknowledged: 10, streamSequence: 510 },
    });
  }
});

void test('a message of another store, or without an id of ours, is foreign', () => {
  assert.equal(isForeign(undefined, isOurs), false);
  assert.equal(isForeign({ sequence: 5, messageId: 'earlier.2' }, isOurs), false);
  for (const messageId of ['stranger.77', undefined, 'no id']) {
    assert.equal(isForeign({ sequence: 5, messageId }, isOurs), true);
  }
});

void test('a chain that was never published begins with its first message', () => {
  const never = { acknowledged: 0, streamSequence: 0 };

  assert.deepEqual(resume(undefined, never, isOurs), { kind: 'as-believed' });
});

void test('a chain of which the stream holds nothing any more sends again what is still held', () => {
  assert.deepEqual(resume(undefined, BELIEVED, isOurs), {
    kind: 'move',
    position: { acknowledged: 0, streamSequence: 0 },
  });
});

const OWN: StoreIdentity = { storeId: 'mine', incarnation: 'now', past: ['old', 'earlier'], term: 4 };

void test('a key that nobody holds is taken', () => {
  assert.equal(decideClaim(undefined, OWN), 'take');
  assert.equal(decideClaim(undefined, { ...OWN, term: 0 }), 'take');
});

void test('a new store takes the key of the one before it', () => {
  assert.equal(decideClaim({ storeId: 'other', incarnation: 'x' }, { ...OWN, past: [], term: 0 }), 'take');
});

void test('a store keeps its key in the same start and takes it in a later one', () => {
  assert.equal(decideClaim({ storeId: 'mine', incarnation: 'now' }, OWN), 'hold');
  assert.equal(decideClaim({ storeId: 'mine', incarnation: 'earlier' }, OWN), 'take');
});

void test('another store, or a start that this store never had, has diverged', () => {
  assert.equal(decideClaim({ storeId: 'other', incarnation: 'now' }, OWN), 'diverged');
  assert.equal(decideClaim({ storeId: 'mine', incarnation: 'of the clone' }, OWN), 'diverged');
});

void test('a store that a person lets go on takes the key from another store and from a stranger of its own', () => {
  const allowed = { ...OWN, mayTakeOver: true };
  assert.equal(decideClaim({ storeId: 'other', incarnation: 'x' }, allowed), 'take');
  assert.equal(decideClaim({ storeId: 'mine', incarnation: 'of the clone' }, allowed), 'take');
  assert.equal(decideClaim({ storeId: 'mine', incarnation: 'now' }, allowed), 'hold');
});
