// what the newest message of a chain means, and who may hold a node's key
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoreIdentity } from '../../../../../src/edge/store/store-identity.ts';
import { isForeign, resume, type LastMessage } from '../../../../../src/edge/uplink/chain.ts';
import { decideClaim, nextTerm } from '../../../../../src/edge/uplink/claim.ts';
import { Lineage } from '../../../../../src/model/lineage.ts';
import { parseMessageId, parseMessageIds } from '../../../../../src/wire/message-id.ts';
import { claimFloor, type Claim } from '../../../../../src/wire/node-reports.ts';

const STARTS = [
  { incarnation: 'earlier', from: 0 },
  { incarnation: 'now', after: 'earlier', from: 12 },
];
/** A copy of our disk went on from 8, was started again at 20; its starts are known from its claims. */
const COPY = [
  { incarnation: 'copy', after: 'earlier', from: 8 },
  { incarnation: 'copy2', after: 'copy', from: 20 },
];
const OURS = new Lineage(STARTS, COPY);
const BELIEVED = { acknowledged: 10, streamSequence: 500 };
const BELIEF = { position: BELIEVED, confirmed: 0 };

const last = (sequence: number, id: string, before = ''): LastMessage => ({
  sequence,
  id: parseMessageId(id),
  before: parseMessageIds(before),
});
const through = (found: LastMessage | undefined): number => resume(found, BELIEF, OURS).position.acknowledged;

void test('the stream stands where we believed', () => {
  for (const id of ['now.10', 'earlier.10'])
    assert.deepEqual(resume(last(500, id), BELIEF, OURS), { position: BELIEVED, before: [] });
});

void test('an acknowledgement that was lost is found in the stream', () => {
  assert.deepEqual(resume(last(510, 'now.14'), BELIEF, OURS).position, { acknowledged: 14, streamSequence: 510 });
});

void test('a stream that lost its tail is filled again from where it stands', () => {
  assert.deepEqual(resume(last(480, 'earlier.6'), BELIEF, OURS).position, { acknowledged: 6, streamSequence: 480 });
});

void test('what a copy of our disk published as one of our earlier starts counts as far as we went with it', () => {
  assert.equal(through(last(510, 'earlier.200')), 12);
});

void test('what a copy published after we parted says that all we share is there', () => {
  assert.equal(through(last(510, 'copy.9')), 8);
  assert.equal(through(last(510, 'copy2.200')), 8);
});

void test('words of ours behind which another store wrote are found where it names them', () => {
  assert.equal(through(last(510, 'stranger.77', 'now.14 another.3')), 14);
  assert.equal(through(last(510, 'copy2.200', 'now.14')), 14);
});

void test('words of ours that another store does not name were lost with the tail, and go again', () => {
  assert.equal(through(last(510, 'stranger.77')), 0);
  assert.equal(through(last(510, 'copy.30')), 8);
});

void test('a message of nobody changes no belief, unless the stream ends before what is believed', () => {
  assert.equal(through(last(510, 'no id')), 10);
  assert.equal(through(last(499, 'no id')), 0);
});

void test('the next message names every other store in the chain, the newest of each, and none of ours', () => {
  const { before } = resume(last(510, 'copy2.200', 'copy.15 stranger.5 now.14 stranger.7 earlier.50'), BELIEF, OURS);
  assert.deepEqual(before, parseMessageIds('stranger.7 earlier.50 copy2.200'));
  const many = Array.from({ length: 20 }, (_, n) => `s${n}.1`).join(' ');
  assert.equal(resume(last(510, 'now.14', many), BELIEF, OURS).before.length, 8);
});

void test('a message of another store, of a copy under our own earlier name, or without an id, is foreign', () => {
  assert.equal(isForeign(undefined, OURS), false);
  assert.equal(isForeign(last(5, 'earlier.2'), OURS), false);
  for (const id of ['stranger.77', 'earlier.13', 'copy.9', '', 'no id'])
    assert.equal(isForeign(last(5, id), OURS), true);
});

void test('a chain that was never published begins with its first message', () => {
  const never = { acknowledged: 0, streamSequence: 0 };

  assert.deepEqual(resume(undefined, { position: never, confirmed: 0 }, OURS).position, never);
});

void test('a chain of which the stream holds nothing any more sends again what is still held', () => {
  assert.deepEqual(resume(undefined, BELIEF, OURS).position, { acknowledged: 0, streamSequence: 0 });
});

void test('a chain that limits emptied while the server still knew its messages goes on behind those', () => {
  const position = { acknowledged: 7, streamSequence: 0 };
  assert.deepEqual(resume(undefined, { position: BELIEVED, confirmed: 7 }, OURS).position, position);
});

const OWN: StoreIdentity = {
  ...{ storeId: 'mine', incarnation: 'now', term: 4, terms: [], mayTakeOver: false },
  ...{ starts: STARTS, others: COPY },
};
const claim = (storeId: string, incarnation: string): Claim => ({ storeId, incarnation, term: 7, starts: [] });

void test('a key that nobody holds is taken by a store that held it, and left by a new one until the hub has prepared it', () => {
  assert.equal(decideClaim(undefined, OWN), 'take');
  assert.equal(decideClaim(undefined, { ...OWN, term: 0 }), 'wait');
  assert.equal(decideClaim(claimFloor(3), { ...OWN, term: 0 }), 'take');
  assert.equal(decideClaim(claimFloor(3), OWN), 'take');
});

void test('a new store takes the key of the one before it', () => {
  assert.equal(decideClaim(claim('other', 'x'), { ...OWN, starts: [], term: 0 }), 'take');
});

void test('a store keeps its key in the same start and takes it in a later one', () => {
  assert.equal(decideClaim(claim('mine', 'now'), OWN), 'hold');
  assert.equal(decideClaim(claim('mine', 'earlier'), OWN), 'take');
});

void test('another store, or a start that this store never had, has diverged', () => {
  assert.equal(decideClaim(claim('other', 'now'), OWN), 'diverged');
  assert.equal(decideClaim(claim('mine', 'copy'), OWN), 'diverged');
});

void test('a store that a person lets go on takes the key from another store and from a stranger of its own', () => {
  const allowed = { ...OWN, mayTakeOver: true };
  assert.equal(decideClaim(claim('other', 'x'), allowed), 'take');
  assert.equal(decideClaim(claim('mine', 'copy'), allowed), 'take');
  assert.equal(decideClaim(claim('mine', 'now'), allowed), 'hold');
});

void test('a claim has a newer term than any before it', () => {
  assert.equal(nextTerm(claim('mine', 'earlier'), 4), 8);
  assert.equal(nextTerm(claim('mine', 'earlier'), 9), 10);
});

void test('a store that goes on over lost claims keeps its term, unless the hub has seen a newer one', () => {
  assert.equal(nextTerm(undefined, 4), 4);
  assert.equal(nextTerm(claimFloor(4), 4), 4);
  assert.equal(nextTerm(claimFloor(3), 4), 4);
  assert.equal(nextTerm(claimFloor(5), 4), 6);
});

void test('a new store begins above what the hub has seen', () => {
  assert.equal(nextTerm(claimFloor(0), 0), 1);
  assert.equal(nextTerm(claimFloor(5), 0), 6);
});
