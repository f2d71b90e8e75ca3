// The short form of tests/long/packet-fuzz.test.ts.
import { test } from 'node:test';
import { fuzzPackets } from '../support/packet-fuzz.ts';

void test('three thousand damaged packets harm nobody but who sends them', (t) =>
  fuzzPackets(t, { packets: 3000, seed: 20_261_123 }));
