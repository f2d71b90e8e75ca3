// Commits numbered keys until the disk refuses one, then one more, and tells what the store says of the refused one.
import { EdgeStore } from '../../../src/edge/store/edge-store.ts';
import { jsonTable } from '../../../src/edge/store/store-layout.ts';
import { silentLogger } from '../../../src/kit/logger.ts';

const NUMBERS = jsonTable<number>('numbers');
const store = new EdgeStore({ dataDir: process.argv[2] ?? '' }, { logger: silentLogger });
await store.start(new AbortController().signal);

const put = (n: number): Promise<boolean> =>
  store
    .commit((tx) => {
      tx.put(NUMBERS, String(n), n);
      tx.put(NUMBERS, 'newest', n);
    })
    .then(
      () => true,
      () => false,
    );

let refused = 0;
while (await put(refused)) refused += 1;
const isTaken = await put(refused + 1);
const values = [await store.get(NUMBERS, String(refused)), await store.get(NUMBERS, String(refused - 1))];
process.stdout.write(`${JSON.stringify({ refused, isTaken, values })}\n`);
process.exit();
