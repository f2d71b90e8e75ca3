import type { KubeObject } from '../json.ts';
import type { StoreEvent } from '../storage/store-event.ts';
import { builtInKinds, crdKind } from './built-in-kinds.ts';
import { kindsOfCrd } from './crd-kind.ts';
import { apiVersionOf, type ResourceKind } from './resource-kind.ts';

/** All kinds that are served at this moment. It follows the stored CRDs, so a definition counts from the write that stored it. */
export class KindRegistry {
  readonly #custom = new Map<string, readonly ResourceKind[]>();
  #byPath = new Map<string, ResourceKind>();
  #revision = 0;

  constructor() {
    this.#rebuild();
  }

  /** Changes whenever a kind comes, changes or goes; what is derived from all kinds may be kept as long as it stays. */
  get revision(): number {
    return this.#revision;
  }

  find(group: string, version: string, plural: string): ResourceKind | undefined {
    return this.#byPath.get(`${apiVersionOf({ group, version })}/${plural}`);
  }

  all(): readonly ResourceKind[] {
    return [...this.#byPath.values()];
  }

  define(crd: KubeObject): void {
    this.#custom.set(crd.metadata.name, kindsOfCrd(crd));
    this.#rebuild();
  }

  hear(event: StoreEvent): void {
    if (event.collection !== crdKind.collection) return;
    if (event.type !== 'DELETED') this.define(event.object);
    else if (this.#custom.delete(event.object.metadata.name)) this.#rebuild();
  }

  #rebuild(): void {
    const kinds = [...builtInKinds, ...[...this.#custom.values()].flat()];
    this.#byPath = new Map(kinds.map((kind) => [`${apiVersionOf(kind)}/${kind.plural}`, kind]));
    this.#revision += 1;
  }
}
