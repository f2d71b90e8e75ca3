import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes } from '../../../../src/kit/units.ts';
import type { Delivery } from '../../../../src/nats/delivery.ts';
import { InHand } from '../../../../src/nats/in-hand.ts';

const nothing = (): void => undefined;
const delivery = (key: string, size = 10): Delivery => ({
  ...{ key, subject: 's', sequence: 1, storedAt: new Date(0), data: new Uint8Array(size) },
  ...{ acknowledge: nothing, refuse: nothing, terminate: nothing },
});
const hand = (): InHand => new InHand({ limit: bytes(35), largest: bytes(10) });

void test('a message is taken once however often it comes, and its newest delivery is answered', () => {
  const inHand = hand();
  const [first, second] = [delivery('a'), delivery('a')];

  assert.equal(inHand.take(first), true);
  assert.equal(inHand.take(second), false);

  assert.deepEqual([inHand.size, inHand.bytes], [1, 10]);
  assert.equal(inHand.release(first), second);
  assert.deepEqual([inHand.size, inHand.bytes], [0, 0]);
});

void test('there is room for as many messages of the largest size as fit, and none beyond', async () => {
  const inHand = hand();
  assert.equal(await inHand.room(), 3);
  const taken = ['a', 'b', 'c'].map((key) => delivery(key));
  for (const each of taken) inHand.take(each);
  let room: number | undefined;
  const waiting = inHand.room().then((messages) => (room = messages));
  await Promise.resolve();
  assert.equal(room, undefined);

  for (const each of taken.slice(0, 1)) inHand.release(each);

  await waiting;
  assert.equal(room, 1);
});

void test('a message released twice frees its bytes once', () => {
  const inHand = hand();
  const one = delivery('a');
  inHand.take(one);
  inHand.take(delivery('b'));

  inHand.release(one);
  inHand.release(one);

  assert.equal(inHand.bytes, 10);
});
