// What a node knows of itself and its devices from before: read once, between opening the store and serving anybody.
import type { Deadline } from '../kit/deadline.ts';
import { HEALTHY, type Health, type Service } from '../kit/service.ts';
import { edgeErrors } from './edge-config.ts';
import { newestEnlisted, oldestHeld } from './outbox/enlisted-before.ts';
import type { Store } from './store/store.ts';
import { jsonTable } from './store/store-layout.ts';
import { keepIdentity, openIncarnation, type StoreIdentity } from './store/store-identity.ts';

/** Something that reads its part of the store into memory. */
export interface Loadable {
  load(store: Store): Promise<void>;
}

const NODE = jsonTable<string>('node');

export class NodeMemory implements Service {
  readonly name = 'memory';
  readonly #config: { readonly node: string; readonly dataDir: string };
  readonly #store: Store;
  readonly #parts: readonly Loadable[];
  #identity: StoreIdentity = {
    storeId: '',
    incarnation: '',
    starts: [],
    others: [],
    term: 0,
    terms: [],
    mayTakeOver: false,
  };

  constructor(
    config: { readonly node: string; readonly dataDir: string },
    tools: { readonly store: Store; readonly parts: readonly Loadable[] },
  ) {
    this.#config = config;
    this.#store = tools.store;
    this.#parts = tools.parts;
  }

  /** After start. */
  get identity(): StoreIdentity {
    return this.#identity;
  }

  async start(_signal: AbortSignal): Promise<void> {
    await this.#checkName();
    this.#identity = await openIncarnation(this.#store, { newest: newestEnlisted, oldestHeld });
    for (const part of this.#parts) await part.load(this.#store);
  }

  stop(_deadline: Deadline): Promise<void> {
    return Promise.resolve();
  }

  health(): Health {
    return HEALTHY;
  }

  /** Writes what a claim has taught. */
  async keep(learned: Partial<Pick<StoreIdentity, 'term' | 'terms' | 'others' | 'mayTakeOver'>>): Promise<void> {
    const identity = { ...this.#identity, ...learned };
    await keepIdentity(this.#store, identity);
    this.#identity = identity;
  }

  /** The chains of a store belong to one node; another name would publish them under subjects that are not theirs. */
  async #checkName(): Promise<void> {
    const { node, dataDir } = this.#config;
    const was = await this.#store.get(NODE, '');
    if (was !== undefined && was !== node) throw edgeErrors.EDGE_NODE_NAME_CHANGED({ dataDir, was, is: node });
    if (was !== undefined) return;
    await this.#store.commit((tx) => {
      tx.put(NODE, '', node);
    });
  }
}
