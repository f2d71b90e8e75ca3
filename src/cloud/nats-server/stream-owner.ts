// A data dir of a hub from before there were accounts holds its streams under the name of the server's one global account.
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../kit/errors.ts';

const GLOBAL_ACCOUNT = '$G';
const SETTLED = ['ENOENT', 'ENOTEMPTY', 'EEXIST'];

/** Moves them to the account, which finds them at its next start. Nothing where there are none, or the account has its own. */
export async function giveStreamsTo(account: string, store: string): Promise<void> {
  const folder = join(store, 'jetstream');
  try {
    await rename(join(folder, GLOBAL_ACCOUNT), join(folder, account));
  } catch (error) {
    if (!SETTLED.includes(codeOf(error) ?? '')) throw error;
  }
}
