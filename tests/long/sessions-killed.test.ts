// The long form of tests/journey/sessions-killed.test.ts: fifty kills. SEED repeats a run.
import { test } from 'node:test';
import { killUnderTraffic } from '../support/session-kills.ts';

const { SEED } = process.env;
const seed = SEED === undefined ? Math.floor(Math.random() * 1_000_000) : Number(SEED);

void test('a node killed fifty times under traffic loses nothing acknowledged and doubles nothing of QoS 2', (t) =>
  killUnderTraffic(t, { kills: 50, seed }));
