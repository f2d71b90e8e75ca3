// Twenty thousand mutated payloads for twins; the short form is in tests/contract/kubeedge. SEED and MUTANTS change what is sent.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzTwins } from '../contract/kubeedge/fuzzing.ts';

const { SEED = String(Date.now() % 1_000_000), MUTANTS = '20000' } = process.env;

test(`${MUTANTS} mutated payloads crash nothing, disturb nobody, and leave nothing in memory (seed ${SEED})`, async (t) => {
  const { applied, refused, leftInMemory } = await fuzzTwins(Number(MUTANTS), Number(SEED));

  t.diagnostic(`${applied} applied, ${refused} refused; ${(leftInMemory / 1e6).toFixed(1)} MB more in use than before`);
  assert.ok(leftInMemory < 16e6, `${leftInMemory} bytes stayed in use`);
});
