import type { Publication } from '../../../broker/index.ts';
import { stageSessions } from '../sessions/stored-sessions.ts';
import type { Store } from '../store/store.ts';
import type { Transaction } from '../store/transaction.ts';

/** In one commit with what sessions are to get of the publication: its acknowledgement speaks for both. */
export function commitWith<T>(publication: Publication, store: Store, build: (tx: Transaction) => T): Promise<T> {
  return store.commit((tx) => {
    const outcome = build(tx);
    const routing = publication.routing?.changes();
    if (routing !== undefined) stageSessions(tx, routing);
    return outcome;
  });
}
