import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { Outflow } from '../../../broker/outflow.ts';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A connection that remembers each write that reached it. */
function connection(): { readonly duplex: Duplex; readonly writes: Buffer[] } {
  const writes: Buffer[] = [];
  const duplex = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      writes.push(Buffer.from(chunk));
      done();
    },
  });
  new Outflow().gather(duplex);
  return { duplex, writes };
}

test('what is said in one turn of the loop is written at once, and what is said in the next by itself', async () => {
  const { duplex, writes } = connection();
  duplex.write(Buffer.of(1, 2));
  duplex.write('é');
  duplex.write(Buffer.of(3));
  assert.equal(writes.length, 0);
  await nextTurn();
  assert.deepEqual(writes, [Buffer.from([1, 2, 0xc3, 0xa9, 3])]);
  duplex.write(Buffer.of(4));
  await nextTurn();
  assert.deepEqual(writes.slice(1), [Buffer.of(4)]);
});

test('pieces of any size, text or bytes, arrive whole and in order, and no write is much above the limit', async () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.integer({ min: 0, max: 200_000 }).map((length) => Buffer.alloc(length, length % 251)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(piece, { maxLength: 20 }), { maxLength: 4 }), async (turns) => {
      const { duplex, writes } = connection();
      for (const pieces of turns) {
        for (const one of pieces) duplex.write(one);
        await nextTurn();
      }
      assert.ok(Buffer.concat(writes).equals(Buffer.concat(turns.flat().map((one) => Buffer.from(one)))));
      const largestPiece = Math.max(64 * 1024, ...turns.flat().map((one) => Buffer.byteLength(one)));
      for (const { length } of writes) assert.ok(length <= 64 * 1024 + largestPiece);
    }),
    { numRuns: 50 },
  );
});

test('what was gathered goes before the end of the connection, and before a write that somebody waits for', async () => {
  const { duplex, writes } = connection();
  duplex.write(Buffer.of(1));
  await new Promise((resolve) => duplex.write(Buffer.of(2), resolve));
  duplex.write(Buffer.of(3));
  duplex.end(Buffer.of(4));
  await new Promise((resolve) => duplex.once('finish', resolve));
  assert.deepEqual(Buffer.concat(writes), Buffer.of(1, 2, 3, 4));
  duplex.write(Buffer.of(5));
  await nextTurn();
  assert.equal(writes.length, 4);
});

test('a connection that does not take more says so', async () => {
  const stuck = new Duplex({ read: () => undefined, write: () => undefined, writableHighWaterMark: 4 });
  new Outflow().gather(stuck);
  assert.equal(stuck.write(Buffer.alloc(8)), true);
  await nextTurn();
  assert.equal(stuck.write(Buffer.of(1)), false);
});
