// A hundred thousand packets. SEED repeats a run.
import { test } from 'node:test';
import { fuzzPackets } from '../support/packet-fuzz.ts';

const { SEED } = process.env;
const seed = SEED === undefined ? Math.floor(Math.random() * 1_000_000) : Number(SEED);

void test('a hundred thousand damaged packets harm nobody but who sends them', (t) =>
  fuzzPackets(t, { packets: 100_000, seed }));
