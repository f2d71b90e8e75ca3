// The same as hub-killed-anywhere, with no chunk left out.
import { test } from 'node:test';
import { KilledHub } from '../support/killed-hub.ts';

test(
  'a hub killed at each chunk that it says or hears leaves nothing wrong behind',
  { timeout: 3_600_000 },
  async (t) => {
    await using hub = await KilledHub.open();
    const ends = { before: 0, after: 0 };
    for (const when of ['before', 'after'] as const) {
      // Their number differs a little from life to life.
      for (let [at, beyond] = [1, 0]; beyond < 3; at += 1) {
        const wasKilled = await hub.killAt(at, when);
        beyond = wasKilled ? 0 : beyond + 1;
        ends[when] = at;
      }
    }
    t.diagnostic(`killed at each of ${ends.before} chunks before, and of ${ends.after} after they went on`);
  },
);
