// Who this store is: a random id for its life, and a random incarnation for each start of it. Both travel with every message,
// so that the stream's end tells whose words it holds (ADR 0005).
import { randomBytes } from 'node:crypto';
import { afterOf, startsOfNames, type Start } from '../../model/lineage.ts';
import type { Store } from './store.ts';
import { jsonTable } from './store-layout.ts';

/** The term of what was enlisted after a sequence. */
export interface TermSince {
  readonly after: number;
  readonly term: number;
}

export interface StoreIdentity {
  readonly storeId: string;
  readonly incarnation: string;
  /** This store's starts, oldest first, the present one last. */
  readonly starts: readonly Start[];
  /** Starts of copies of this store, as far as claims told of them. */
  readonly others: readonly Start[];
  /** The term of the last claim this store held; 0 when it never held one. */
  readonly term: number;
  /** The terms it held, oldest first. */
  readonly terms: readonly TermSince[];
  /** A person decided that this store's story goes on: the next claim takes the node's name from whoever holds it. */
  readonly mayTakeOver: boolean;
}

/** As versions before store format 2 wrote it: earlier incarnations by name, without what they began from. */
interface NamedPast {
  readonly storeId: string;
  readonly incarnation: string;
  readonly past: readonly string[];
  readonly term: number;
}

/** What the store has enlisted, for its starts to remember. */
export interface EnlistedBefore {
  readonly newest: (store: Store) => Promise<number>;
  readonly oldestHeld: (store: Store) => Promise<ReadonlyMap<string, number>>;
}

/** `terms` came later than the rest. */
type StoredIdentity = Omit<StoreIdentity, 'terms'> & Partial<Pick<StoreIdentity, 'terms'>>;

const IDENTITY = jsonTable<StoredIdentity | NamedPast>('identity');
/** A claim older than these comes from another life of the store. */
const REMEMBERED_STARTS = 1000;

const randomName = (): string => randomBytes(8).toString('hex');

/** Opens a new incarnation; written before anything is enlisted under it. */
export async function openIncarnation(store: Store, enlisted: EnlistedBefore): Promise<StoreIdentity> {
  const known = await readIdentity(store, enlisted);
  const incarnation = randomName();
  const start = { incarnation, from: await enlisted.newest(store), ...afterOf(known?.incarnation) };
  const identity: StoreIdentity = {
    ...(known ?? { storeId: randomName(), others: [], term: 0, terms: [], mayTakeOver: false }),
    incarnation,
    starts: [...(known?.starts ?? []), start].slice(-REMEMBERED_STARTS),
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
  if (found === undefined) return;
  await store.commit((tx) => {
    tx.put(IDENTITY, '', { ...found, mayTakeOver: true });
  });
}

async function readIdentity(store: Store, enlisted: EnlistedBefore): Promise<StoreIdentity | undefined> {
  const found = await store.get(IDENTITY, '');
  if (found === undefined) return undefined;
  if ('starts' in found) return { ...found, terms: found.terms ?? firstTerm(found.term) };
  const { past, ...rest } = found;
  const names = [...past, found.incarnation];
  const starts = startsOfNames(names, await enlisted.oldestHeld(store), await enlisted.newest(store));
  return { others: [], terms: firstTerm(rest.term), mayTakeOver: false, ...rest, starts };
}

const firstTerm = (term: number): readonly TermSince[] => (term === 0 ? [] : [{ after: 0, term }]);
