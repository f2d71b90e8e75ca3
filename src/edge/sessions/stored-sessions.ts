// Where the broker's sessions outlive the process: a table of the node's own store, so that what sessions are to get of a
// publication can be one commit with what the publication changes. Knows nothing of what the records mean.
import type { SessionChanges, SessionStorage } from '../../../broker/index.ts';
import type { Store } from '../store/store.ts';
import type { Table } from '../store/store-layout.ts';
import type { Transaction } from '../store/transaction.ts';

/** The broker encodes its records itself. */
const SESSIONS: Table<string> = { name: 'session', encode: (text) => text, decode: (text) => text };

export class StoredSessions implements SessionStorage {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  load(): AsyncIterable<readonly [string, string]> {
    return this.#store.all(SESSIONS);
  }

  commit(build: () => SessionChanges): Promise<void> {
    return this.#store.commit((tx) => {
      stageSessions(tx, build());
    });
  }
}

export function stageSessions(tx: Transaction, changes: SessionChanges): void {
  for (const [key, value] of changes) {
    if (value === undefined) tx.remove(SESSIONS, key);
    else tx.put(SESSIONS, key, value);
  }
}
