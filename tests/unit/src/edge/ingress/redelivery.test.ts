import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RedeliveryRecords, REMEMBERED, traceOf, type Trace } from '../../../../../src/edge/ingress/redelivery.ts';
import type { EdgeStore } from '../../../../../src/edge/store/edge-store.ts';
import { Transaction } from '../../../../../src/edge/store/transaction.ts';

const DEVICE = 'plant/boiler-7';
const bytes = (text: string): Uint8Array => Buffer.from(text);
const byEvent = (eventId: string): Trace => traceOf({ clientId: 'c', packetId: 1, payload: bytes(eventId) }, eventId);
const byPacket = (packetId: number, payload: string, clientId = 'c'): Trace =>
  traceOf({ clientId, packetId, payload: bytes(payload) }, '');

function remember(records: RedeliveryRecords, trace: Trace): Transaction {
  const tx = new Transaction();
  records.remember(tx, DEVICE, trace);
  return tx;
}

/** The part of a store that `prepare` reads, over what the transactions wrote. */
function diskOf(transactions: readonly Transaction[]): EdgeStore {
  const kept = new Map<string, string>();
  for (const tx of transactions) {
    for (const one of tx.operations()) if (one.type === 'put') kept.set(one.key, one.value);
  }
  const between = (): Promise<unknown> =>
    Promise.resolve([...kept].toSorted().map(([key, value]) => [key, JSON.parse(value) as unknown]));
  return { between } as unknown as EdgeStore;
}

void test('an event id is known again, whoever sends it and however', () => {
  const records = new RedeliveryRecords();
  remember(records, byEvent('e1'));

  assert.equal(records.isRedelivered(DEVICE, byEvent('e1'), false), true);
  assert.equal(
    records.isRedelivered(DEVICE, traceOf({ clientId: 'd', packetId: 9, payload: bytes('x') }, 'e1'), false),
    true,
  );
  assert.equal(records.isRedelivered(DEVICE, byEvent('e2'), true), false);
  assert.equal(records.isRedelivered('plant/other', byEvent('e1'), true), false);
});

void test('without an event id, DUP with the same client, packet id and payload is known again', () => {
  const records = new RedeliveryRecords();
  remember(records, byPacket(7, 'a'));

  assert.equal(records.isRedelivered(DEVICE, byPacket(7, 'a'), true), true);
  assert.equal(records.isRedelivered(DEVICE, byPacket(7, 'a'), false), false);
  assert.equal(records.isRedelivered(DEVICE, byPacket(8, 'a'), true), false);
  assert.equal(records.isRedelivered(DEVICE, byPacket(7, 'b'), true), false);
  assert.equal(records.isRedelivered(DEVICE, byPacket(7, 'a', 'd'), true), false);
  assert.equal(
    records.isRedelivered(DEVICE, traceOf({ clientId: 'c', packetId: undefined, payload: bytes('a') }, ''), true),
    false,
  );
});

void test('of a packet id that was used again, the newest use counts', () => {
  const records = new RedeliveryRecords();
  remember(records, byPacket(7, 'a'));
  remember(records, byPacket(7, 'b'));

  assert.equal(records.isRedelivered(DEVICE, byPacket(7, 'b'), true), true);
  assert.equal(records.isRedelivered(DEVICE, byPacket(7, 'a'), true), false);
});

void test('a failed commit forgets what it remembered', () => {
  const records = new RedeliveryRecords();
  const tx = new Transaction();
  records.remember(tx, DEVICE, byEvent('e1'));
  records.remember(tx, DEVICE, byEvent('e2'));

  tx.undo();

  assert.equal(records.isRedelivered(DEVICE, byEvent('e1'), true), false);
  assert.equal(records.isRedelivered(DEVICE, byEvent('e2'), true), false);
});

void test('the newest 1024 publications of a device are remembered, and no more', () => {
  const records = new RedeliveryRecords();
  for (let n = 0; n < REMEMBERED + 10; n += 1) remember(records, byEvent(`e${n}`));

  const known = Array.from({ length: REMEMBERED + 10 }, (_, n) =>
    records.isRedelivered(DEVICE, byEvent(`e${n}`), false),
  );

  assert.deepEqual([known.indexOf(true), known.lastIndexOf(true)], [10, REMEMBERED + 9]);
  assert.equal(known.filter(Boolean).length, REMEMBERED);
});

void test('a commit that fails after the ring was full gives back what it had pushed out', () => {
  const records = new RedeliveryRecords();
  for (let n = 0; n < REMEMBERED; n += 1) remember(records, byEvent(`e${n}`));

  remember(records, byEvent('new')).undo();

  assert.equal(records.isRedelivered(DEVICE, byEvent('e0'), false), true);
  assert.equal(records.isRedelivered(DEVICE, byEvent('new'), false), false);
});

void test('after a restart exactly the same is known', async () => {
  const trace = fc.oneof(
    fc.nat({ max: 40 }).map((n) => byEvent(`e${n}`)),
    fc.tuple(fc.nat({ max: 5 }), fc.constantFrom('a', 'b')).map(([id, payload]) => byPacket(id, payload)),
  );
  const many = fc.array(fc.tuple(trace, fc.boolean()), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(many, async (publications) => {
      const before = new RedeliveryRecords();
      const written: Transaction[] = [];
      for (const [one, fails] of publications) {
        if (before.isRedelivered(DEVICE, one, true)) continue;
        const tx = remember(before, one);
        if (fails) tx.undo();
        else written.push(tx);
      }
      const after = new RedeliveryRecords();
      await after.prepare(diskOf(written), DEVICE);
      for (const [one] of publications) {
        assert.equal(after.isRedelivered(DEVICE, one, true), before.isRedelivered(DEVICE, one, true));
      }
    }),
  );
});

void test('a full ring is the same after a restart', async () => {
  const before = new RedeliveryRecords();
  const written = Array.from({ length: REMEMBERED + 300 }, (_, n) => remember(before, byEvent(`e${n}`)));
  const after = new RedeliveryRecords();

  await after.prepare(diskOf(written), DEVICE);
  remember(after, byEvent('next'));

  assert.equal(after.isRedelivered(DEVICE, byEvent('e300'), false), false);
  assert.equal(after.isRedelivered(DEVICE, byEvent('e301'), false), true);
  assert.equal(after.isRedelivered(DEVICE, byEvent('next'), false), true);
});
