// What goes when an outbox begins on a store that is too full for it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseEntryKey } from '../../../../../src/edge/outbox/outbox-key.ts';
import { COUNTER, OUTBOX_ENTRIES } from '../../../../../src/edge/outbox/outbox.ts';
import { markerBytes } from '../../../../../src/edge/outbox/retention.ts';
import { orderedNumber } from '../../../../../src/edge/store/store-layout.ts';
import { Deadline } from '../../../../../src/kit/deadline.ts';
import { ms } from '../../../../../src/kit/units.ts';
import { CHAINS, LIMIT, World } from './bounded-world.ts';

interface Waiting {
  readonly chain: string;
  readonly padding: number;
}

/** Fills a store with nobody making room, then lets an outbox begin on it. */
async function cutDown(
  all: readonly Waiting[],
): Promise<{ readonly world: World; readonly left: ReadonlySet<number> }> {
  const world = new World(() => 0.5);
  await world.open();
  await world.outbox.stop(Deadline.after(ms(1000)));
  await world.store.commit((tx) => {
    for (const { chain: to, padding } of all) {
      const changes = [{ kind: 'state', state: 'x'.repeat(padding), n: 1 }] as const;
      world.outbox.enlist(tx, to, { device: { namespace: 'd', name: 'a' }, uid: 'u', binding: 1, at: 1, changes });
    }
  });
  await world.open();
  await world.settle();
  const left = new Set<number>();
  for await (const [key, { fact }] of world.store.all(OUTBOX_ENTRIES))
    if (fact.changes.some(({ kind }) => kind !== 'gap')) left.add(parseEntryKey(key).sequence);
  return { world, left };
}

void test('entries of a store whose keys did not tell weights yet are dropped like others', async () => {
  const world = new World(() => 0.5);
  const of = CHAINS[0]!;
  const changes = [{ kind: 'state', state: 'on', n: 1 }] as const;
  const fact = { device: { namespace: 'd', name: 'a' }, uid: 'u', binding: 1, at: 1, changes };
  for (let sequence = 1; sequence <= 1500; sequence += 1) {
    world.disk.set(
      `${OUTBOX_ENTRIES.name}!${of}/${orderedNumber(sequence)}`,
      JSON.stringify({ incarnation: 'i', fact }),
    );
    world.enlisted.get(of)!.set(sequence, 1);
  }
  world.disk.set(`${COUNTER.name}!`, '1500');
  await world.open();
  await world.settle();

  world.checkBooks();
  await world.drain();
  world.checkStream();
  await world.outbox.stop(Deadline.after(ms(1000)));
});

const waitingFacts = fc.array(
  fc.record({ chain: fc.constantFrom(...CHAINS), padding: fc.integer({ min: 1, max: 1500 }) }),
  {
    maxLength: 120,
    size: 'max',
  },
);

void test('the oldest of the lowest class go first, and the limit holds afterwards', async () => {
  await fc.assert(
    fc.asyncProperty(waitingFacts, async (all) => {
      const { world, left } = await cutDown(all);
      world.checkBooks();
      const weights = all.map(({ chain: of, padding }) => padding + of.length + 170);
      const isWorthDropping = (of: string, through: number): boolean =>
        all.reduce((sum, one, place) => (one.chain === of && place < through ? sum + weights[place]! : sum), 0) >
        markerBytes(of);
      const lowest = ['telemetry', 'event', 'twin'].map((kind) => CHAINS.filter((one) => one.includes(`.${kind}.`)));
      const cuts = lowest.map((group) =>
        all.reduce((last, one, place) => (group.includes(one.chain) && !left.has(place + 1) ? place + 1 : last), 0),
      );
      for (const [place, group] of lowest.entries()) {
        const isHigherCut = cuts.slice(place + 1).some((through) => through > 0);
        // Where a higher class gave something, this one had nothing more to give.
        const through = isHigherCut ? all.length : cuts[place]!;
        for (const of of group.filter((one) => isWorthDropping(one, through)))
          for (let sequence = 1; sequence <= through; sequence += 1)
            assert.ok(all[sequence - 1]!.chain !== of || !left.has(sequence), `${sequence} of ${of} is left`);
      }
      if (world.outbox.statistics().bytes >= LIMIT * 0.9)
        assert.ok(CHAINS.every((of) => !isWorthDropping(of, all.length) || cuts.every((through) => through > 0)));
      await world.outbox.stop(Deadline.after(ms(1000)));
    }),
    { numRuns: 200 },
  );
});
