import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { UnfinishedPackets, type Holding } from '../../../broker/unfinished-packets.ts';
import { bytes } from '../../../src/kit/units.ts';

/** What each chunk counts beside its bytes. */
const BESIDE = 1024;
const LIMITS = { packet: bytes(1000), unfinishedBytes: bytes(10_000) };

function open(limits = LIMITS): { readonly unfinished: UnfinishedPackets; readonly come: () => Holding } {
  const unfinished = new UnfinishedPackets(limits);
  const come = (): Holding => {
    const connection = new PassThrough();
    connection.on('error', () => undefined);
    return unfinished.holding(connection);
  };
  return { unfinished, come };
}

void test('of all that is held, what began first ends, and what of it began anew is not what began first', () => {
  const { unfinished, come } = open();
  const [first, second, third] = [come(), come(), come()];
  for (const one of [first, second, third]) one.begin(2000 - BESIDE);
  first.begin(2000 - BESIDE);

  third.add(4001 - BESIDE);

  assert.deepEqual(
    [first, second, third].map(({ connection }) => connection.destroyed),
    [false, true, false],
  );
  assert.equal(unfinished.bytes, 8001);
});

void test('a connection that is closed holds nothing, neither then nor by what still comes', async () => {
  const { unfinished, come } = open();
  const holding = come();
  holding.begin(10);

  holding.connection.destroy();
  holding.add(10);
  await new Promise(setImmediate);
  holding.begin(10);

  assert.equal(unfinished.bytes, 0);
});

void test('where packets may be large, four of them may be unfinished', () => {
  const { unfinished, come } = open({ ...LIMITS, packet: bytes(5000) });

  for (let n = 0; n < 4; n += 1) come().begin(5000 - BESIDE);

  assert.deepEqual([unfinished.limit, unfinished.bytes], [20_000, 20_000]);
});
