// `skerry edge repair`: mends the store of a node that does not run.
import { Deadline } from '../kit/deadline.ts';
import { messageOf, SkerryError } from '../kit/errors.ts';
import { silentLogger } from '../kit/logger.ts';
import { seconds } from '../kit/units.ts';
import { skipUsedSequences } from './outbox/used-sequences.ts';
import { EdgeStore, REPAIR } from './store/edge-store.ts';
import { storeErrors } from './store/errors.ts';
import { RepairFolder } from './store/repair-folder.ts';
import { allowTakeOver } from './store/store-identity.ts';
import { mendDatabase, type Mending } from './store/store-repair.ts';

export interface RepairReport extends Mending {
  readonly dataDir: string;
  readonly isSound: boolean;
  /** Where the damaged files are. */
  readonly keptAside?: string;
  /** Whether the next connection takes the node's name over from whoever holds it. */
  readonly isNewTerm: boolean;
}

/**
 * Rejects with STORE_NOT_FOUND where no node has run, STORE_LOCKED while one runs, STORE_NOT_REPAIRED when the disk is in the way;
 * the store is as it was then.
 */
export async function repairNode(dataDir: string, { newTerm }: { readonly newTerm: boolean }): Promise<RepairReport> {
  try {
    const folder = await RepairFolder.create(dataDir);
    const mending = await mend(folder);
    const isSound = mending.damage.length === 0 && Object.values(mending.tables).every(({ lost }) => lost === 0);
    const report = { dataDir, isSound, ...mending, isNewTerm: newTerm };
    if (isSound) {
      await folder.discard();
      if (newTerm) await withStore(dataDir, allowTakeOver);
      return report;
    }
    await withStore(folder.path, (store) => prepare(store, newTerm));
    const keptAside = await folder.takePlace();
    return keptAside === undefined ? report : { ...report, keptAside };
  } catch (error) {
    if (error instanceof SkerryError) throw error;
    throw storeErrors.STORE_NOT_REPAIRED({ dataDir, reason: messageOf(error) }, error);
  }
}

async function mend(folder: RepairFolder): Promise<Mending> {
  const mending = await mendDatabase(folder.database);
  if (mending.tables['format'] !== undefined || !folder.isMarked) return mending;
  return { ...mending, damage: [...mending.damage, 'nothing is left of the store that was here'] };
}

/** What the next start must find in a store that may have lost anything. */
async function prepare(store: EdgeStore, newTerm: boolean): Promise<void> {
  await skipUsedSequences(store);
  await store.commit((tx) => tx.put(REPAIR, '', { at: new Date().toISOString() }));
  if (newTerm) await allowTakeOver(store);
}

async function withStore(dataDir: string, task: (store: EdgeStore) => Promise<void>): Promise<void> {
  const store = new EdgeStore({ dataDir }, { logger: silentLogger });
  await store.start(new AbortController().signal);
  try {
    await task(store);
  } finally {
    await store.stop(Deadline.after(seconds(10)));
  }
}
