// A hub killed before or after any chunk of what it says to NATS or Kubernetes, or hears. A handful here, chosen by a seed that
// is printed; every one of them in the long form.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KilledHub } from '../support/killed-hub.ts';

const KILLS = 8;
/** A life may be over before its chunk has passed: how many do not is chance. Fewer would be kills that nobody made. */
const LEAST_KILLED = 5;
/** About how many chunks one life takes. */
const RANGE = 104;

test('a hub killed at whatever it says or hears leaves nothing wrong behind', async (t) => {
  const seed = Date.now() % 1_000_000;
  t.diagnostic(`seed ${seed}`);
  await using hub = await KilledHub.open();

  let killed = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    // One from each part of a life.
    const part = RANGE / KILLS;
    const at = 1 + Math.floor(kill * part + ((seed * (kill + 1) * 7919) % 1000) * (part / 1000));
    if (await hub.killAt(at, (seed + kill) % 2 === 0 ? 'before' : 'after')) killed += 1;
  }
  t.diagnostic(`${killed} of ${KILLS} lives were ended`);
  assert.ok(killed >= LEAST_KILLED, `${killed} of ${KILLS} lives were ended`);
});
