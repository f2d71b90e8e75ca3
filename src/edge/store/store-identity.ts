// Who this store is: a random id for its life, and a random incarnation for each start of it. Both travel with every message,
// so that the stream's end tells whose words it holds (ADR 0005).
import { randomBytes } from 'node:crypto';
import type { Store } from './store.ts';
import { jsonTable } from './store-layout.ts';

export interface StoreIdentity {
  readonly storeId: string;
  readonly incarnation: string;
  /** Incarnations of earlier starts, newest last. */
  readonly past: readonly string[];
  /** The term of the last claim this store held; 0 when it never held one. */
  readonly term: number;
  /** A person decided that this store's story goes on: the next claim takes the node's name from whoever holds it. */
  readonly mayTakeOver?: boolean;
}

const IDENTITY = jsonTable<StoreIdentity>('identity');
/** Starts remembered: a claim older than these comes from another life of the store. */
const REMEMBERED_STARTS = 1000;

const randomName = (): string => randomBytes(8).toString('hex');

/** Opens a new incarnation; written before anything is enlisted under it. */
export async function openIncarnation(store: Store): Promise<StoreIdentity> {
  const found = await store.get(IDENTITY, '');
  const identity: StoreIdentity = {
    storeId: found?.storeId ?? randomName(),
    incarnation: randomName(),
    past: found === undefined ? [] : [...found.past, found.incarnation].slice(-REMEMBERED_STARTS),
    term: found?.term ?? 0,
    mayTakeOver: found?.mayTakeOver === true,
  };
  await keepIdentity(store, identity);
  return identity;
}

export async function keepIdentity(store: Store, identity: StoreIdentity): Promise<void> {
  await store.commit((tx) => {
    tx.put(IDENTITY, '', identity);
  });
}

/** For `skerry edge repair --new-term`. A store without an identity is new, and takes the name over in any case. */
export async function allowTakeOver(store: Store): Promise<void> {
  const found = await store.get(IDENTITY, '');
  if (found !== undefined) await keepIdentity(store, { ...found, mayTakeOver: true });
}
