// Enlists numbered facts of three classes as fast as it can, in an outbox that is always short of room, until somebody kills it.
import { Outbox } from '../../../src/edge/outbox/outbox.ts';
import { EdgeStore } from '../../../src/edge/store/edge-store.ts';
import { systemClock } from '../../../src/kit/clock.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { bytes, seconds } from '../../../src/kit/units.ts';

const [, , dataDir = '', limit = '', first = ''] = process.argv;
const NEVER = new AbortController().signal;
const store = new EdgeStore({ dataDir }, { logger: silentLogger });
await store.start(NEVER);
const tools = { store, clock: systemClock, incarnation: () => 'i', logger: silentLogger };
const outbox = new Outbox({ limit: bytes(Number(limit)), age: seconds(3600) }, tools);
await outbox.start(NEVER);

async function enlistEvery(step: number, from: number): Promise<never> {
  const device = { namespace: 'default', name: 'boiler' };
  for (let n = from; ; n += step) {
    await outbox.room();
    const kind = n % 10 === 0 ? 'twin' : n % 10 === 1 ? 'event' : 'telemetry';
    const change = { kind: 'reported', property: 'count', type: 'INT', value: String(n), n } as const;
    const fact = { device, uid: 'u', binding: 1, at: n, changes: [change] };
    await store.commit((tx) => {
      outbox.enlist(tx, `skerry.n1.up.${kind}.default.boiler`, fact);
    });
    process.stdout.write(`${n}\n`);
  }
}

const WRITERS = 20;
await Promise.all(Array.from({ length: WRITERS }, (_, writer) => enlistEvery(WRITERS, Number(first) + writer)));
