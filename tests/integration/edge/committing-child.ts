// Commits numbered keys as fast as it can and prints each one when its commit has resolved, until somebody kills it.
import { EdgeStore } from '../../../src/edge/store/edge-store.ts';
import { jsonTable } from '../../../src/edge/store/store-layout.ts';
import { silentLogger } from '../../../src/kit/logger.ts';

const NUMBERS = jsonTable<number>('numbers');
const store = new EdgeStore({ dataDir: process.argv[2] ?? '' }, { logger: silentLogger });
await store.start(new AbortController().signal);

async function commitEvery(step: number, first: number): Promise<never> {
  for (let n = first; ; n += step) {
    await store.commit((tx) => {
      tx.put(NUMBERS, String(n), n);
      tx.put(NUMBERS, `twin-of-${n}`, n);
    });
    process.stdout.write(`${n}\n`);
  }
}

await Promise.all([0, 1, 2, 3].map((first) => commitEvery(4, first)));
