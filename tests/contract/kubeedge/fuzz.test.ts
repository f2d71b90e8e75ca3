// A thousand mutated payloads; `npm run test:long` sends twenty thousand. SEED repeats a run that failed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzTwins } from './fuzzing.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

test(`1,000 mutated payloads are each acknowledged and answered once, and refused ones change no twin (seed ${seed})`, async (t) => {
  const { applied, refused } = await fuzzTwins(1000, seed);

  t.diagnostic(`${applied} applied, ${refused} refused`);
  assert.ok(applied > 100 && refused > 100, 'the mutants are of both kinds');
});
