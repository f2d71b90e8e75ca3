// The whole outbox over a store in memory, as a model: random commits, sending, lost answers and crashes, with a limit that is
// always short. Whatever was enlisted is in the stream once, or named by a gap marker, and nothing is named that is there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Deadline } from '../../../../../src/kit/deadline.ts';
import { ms } from '../../../../../src/kit/units.ts';
import { CHAINS, randomFrom, World } from './bounded-world.ts';

type Fate = Parameters<World['send']>[2];
type Step = (world: World) => void | Promise<void>;
const named = (name: string, step: Step): Step => Object.assign(step, { toString: () => name });
const enlist = (times: number, properties: number, padding: number, to: string): Step =>
  named(`enlist ${times} x ${properties} ${padding} ${to}`, (world) => {
    for (let time = 0; time < times; time += 1) world.enlist(to, properties, padding);
  });
const send = (limit: number, to: string, fate: Fate): Step =>
  named(`send ${limit} ${to} ${fate}`, (world) => world.send(to, limit, fate));
const pause = (turns: number): Step => named(`pause ${turns}`, (world) => world.pause(turns));
const settle = named('settle', async (world) => {
  await world.settle();
  world.checkBooks();
});
const crash = named('crash', (world) => world.crash());

const chain = fc.constantFrom(...CHAINS);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 20, max: 900 }), chain)
      .map((from) => enlist(...from)),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.integer({ min: 1, max: 9 }), chain, fc.constantFrom<Fate>('stored', 'stored', 'unanswered', 'lost'))
      .map((from) => send(...from)),
  },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 80 }).map(pause) },
  { weight: 1, arbitrary: fc.constant(settle) },
);

async function live(steps: readonly Step[], seed: number): Promise<World> {
  const world = new World(randomFrom(seed));
  await world.open();
  try {
    for (const one of steps) await one(world);
    await world.settle();
    world.checkBooks();
    await world.drain();
    world.checkStream();
  } finally {
    await world.outbox.stop(Deadline.after(ms(1000)));
  }
  return world;
}

const [TELEMETRY, , EVENT, EVENT_B, TWIN, TWIN_B] = CHAINS as [string, string, string, string, string, string];
/** Failed once: a fact arrived while its chain was revised. Found with the seeds 189186474, 631471533 and -865585948. */
const FOUND: readonly (readonly [steps: readonly Step[], seed: number])[] = [
  [
    [
      send(1, EVENT, 'stored'),
      pause(3),
      enlist(12, 3, 160, EVENT_B),
      enlist(3, 2, 622, EVENT),
      send(5, EVENT_B, 'unanswered'),
      enlist(7, 3, 247, EVENT),
      enlist(3, 2, 368, TELEMETRY),
      pause(27),
      enlist(1, 1, 20, TELEMETRY),
      enlist(6, 1, 20, EVENT_B),
      send(7, EVENT_B, 'stored'),
      enlist(1, 1, 20, TELEMETRY),
      pause(32),
      pause(67),
      enlist(1, 1, 20, TELEMETRY),
      enlist(1, 1, 20, TELEMETRY),
      send(1, TELEMETRY, 'stored'),
      send(2, EVENT_B, 'stored'),
    ],
    943_025_806,
  ],
  [
    [
      send(1, TWIN_B, 'stored'),
      enlist(9, 1, 129, EVENT),
      enlist(8, 2, 387, TWIN_B),
      pause(16),
      send(1, TELEMETRY, 'stored'),
      enlist(10, 1, 683, TELEMETRY),
      enlist(4, 2, 544, EVENT_B),
      pause(8),
      send(4, EVENT_B, 'stored'),
      enlist(10, 1, 20, EVENT_B),
    ],
    2_147_483_630,
  ],
  [
    [
      enlist(2, 2, 601, TELEMETRY),
      enlist(1, 1, 182, TELEMETRY),
      enlist(5, 3, 661, TWIN_B),
      enlist(4, 3, 704, TWIN),
      pause(13),
      send(4, TWIN, 'stored'),
      enlist(10, 1, 20, TWIN),
    ],
    236_806_887,
  ],
  [
    [
      enlist(5, 2, 751, TWIN_B),
      enlist(11, 1, 673, TWIN),
      send(4, TWIN_B, 'stored'),
      settle,
      crash,
      enlist(4, 2, 404, TELEMETRY),
      enlist(1, 1, 134, TELEMETRY),
      send(2, TELEMETRY, 'stored'),
      pause(6),
      enlist(1, 1, 20, TELEMETRY),
      send(1, TWIN_B, 'stored'),
      enlist(2, 1, 20, TWIN_B),
      enlist(8, 1, 20, TWIN_B),
    ],
    2_145_124_339,
  ],
];

for (const [steps, seed] of FOUND)
  void test(`facts that arrive while their chain is revised: the history of ${seed}`, async () => {
    await live(steps, seed);
  });

void test('what is enlisted beyond the limit is in the stream once and in order, or named by a marker', async () => {
  let lost = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25, size: 'max' }), fc.nat(), async (steps, seed) => {
      const world = await live(steps, seed);
      for (const counts of Object.values(world.outbox.statistics().dropped)) lost += counts.bytes + counts.compacted;
    }),
    { numRuns: 1000 },
  );
  assert.ok(
    lost > 1000,
    'hardly anything was ever dropped: the limit is not short enough for this test to say anything',
  );
});

void test('the same with crashes in between, of which only what nobody could know is named too often', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof({ weight: 10, arbitrary: step }, { weight: 1, arbitrary: fc.constant(crash) }), {
        maxLength: 25,
        size: 'max',
      }),
      fc.nat(),
      async (steps, seed) => {
        await live(steps, seed);
      },
    ),
    { numRuns: 1000 },
  );
});
