import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ConnectionCount } from '../../../../src/kit/connection-count.ts';

const LIMITS = { connections: 5, connectionsOfOne: 2 };
const ADDRESSES = ['192.0.2.1', '192.0.2.2', '127.0.0.1'];

void test('whoever comes and goes, so many are open in all and so many of one other machine, and room comes back', () => {
  const moves = fc.array(fc.tuple(fc.constantFrom(...ADDRESSES), fc.boolean()));
  fc.assert(
    fc.property(moves, (history) => {
      const count = new ConnectionCount(LIMITS);
      const open: { address: string; leave: () => void }[] = [];
      const of = (address: string): number => open.filter((one) => one.address === address).length;
      for (const [address, isComing] of history) {
        if (!isComing) {
          const gone = open.shift();
          gone?.leave();
          gone?.leave();
          continue;
        }
        const hasRoom = open.length < 5 && (address === '127.0.0.1' || of(address) < 2);
        const leave = count.enter(address);
        assert.equal(leave !== undefined, hasRoom);
        if (leave !== undefined) open.push({ address, leave });
      }
    }),
  );
});
