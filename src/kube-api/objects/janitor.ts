// Clears up behind deletions: a namespace or CRD that is being deleted goes once its contents are gone, and objects past their
// time to live are removed. It works from what is stored, so a restart in the middle changes nothing.
import { messageOf } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import { sleep } from '../../kit/sleep.ts';
import { seconds } from '../../kit/units.ts';
import type { KubeObject } from '../json.ts';
import { crdKind, eventKind, namespaceKind } from '../kinds/built-in-kinds.ts';
import type { KindRegistry } from '../kinds/kind-registry.ts';
import type { ResourceKind } from '../kinds/resource-kind.ts';
import { isEnding } from '../rules/object-meta.ts';
import { StatusError } from '../status.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { StoreEvent } from '../storage/store-event.ts';
import { collectionOf, type Collection } from '../storage/store-keys.ts';
import { crdGroup, crdNames } from '../kinds/crd.ts';
import type { ObjectReader } from './object-reader.ts';
import type { ObjectWriter } from './object-writer.ts';
import type { Place } from './place.ts';

export interface JanitorTools {
  readonly store: ObjectStore;
  readonly reader: ObjectReader;
  readonly writer: ObjectWriter;
  readonly registry: KindRegistry;
  readonly logger: Logger;
}

/** A namespace or CRD on its way out, and the collections that hold its contents. */
interface Ending {
  readonly place: Place;
  readonly contents: () => readonly Contents[];
}

interface Contents {
  readonly kind: ResourceKind;
  readonly namespace: string | undefined;
}

const SWEEP_EVERY = seconds(300);
const SWEEP_AT_ONCE = 500;
const EVERYTHING = { labels: [], fields: [] };

export class Janitor {
  readonly #tools: JanitorTools;
  readonly #endings = new Map<string, Ending>();
  #hasWork = false;
  #wake: () => void = () => undefined;

  constructor(tools: JanitorTools) {
    this.#tools = tools;
  }

  /** Takes note of what was already ending before this process started. */
  async recall(): Promise<void> {
    for (const kind of [namespaceKind, crdKind]) {
      const page = await this.#tools.reader.page({
        kind,
        namespace: undefined,
        selector: EVERYTHING,
        limit: 0,
        after: undefined,
      });
      for (const object of page.objects) this.#note(kind, object);
    }
  }

  hear(event: StoreEvent): void {
    const kind = [namespaceKind, crdKind].find(({ collection }) => collection === event.collection);
    if (event.type === 'DELETED') {
      if (kind !== undefined) this.#endings.delete(keyOf(kind, event.object));
      if (this.#endings.size > 0) this.#rouse();
    } else if (kind !== undefined) this.#note(kind, event.object);
  }

  /** Runs until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const onAbort = (): void => this.#wake();
    signal.addEventListener('abort', onAbort, { once: true });
    while (!signal.aborted) {
      if (!this.#hasWork)
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      this.#hasWork = false;
      for (const ending of this.#endings.values()) await this.#empty(ending);
    }
  }

  /** Removes outdated objects now and then until aborted. */
  async sweep(signal: AbortSignal): Promise<void> {
    do {
      const places = await this.#tools.reader.expired(eventKind, SWEEP_AT_ONCE);
      for (const place of places) await this.#remove(place);
    } while ((await sleep(SWEEP_EVERY, signal)) === 'elapsed');
  }

  #note(kind: ResourceKind, object: KubeObject): void {
    if (!isEnding(object)) return;
    this.#endings.set(keyOf(kind, object), {
      place: { kind, namespace: '', name: object.metadata.name },
      contents: () => (kind === namespaceKind ? this.#inNamespace(object.metadata.name) : this.#ofCrd(object)),
    });
    this.#rouse();
  }

  #rouse(): void {
    this.#hasWork = true;
    this.#wake();
  }

  async #empty({ place, contents }: Ending): Promise<void> {
    const left = await Promise.all(contents().map((each) => this.#clear(each)));
    if (left.some((count) => count > 0)) return;
    await this.#quietly(place, () => this.#tools.writer.finish(place));
  }

  /** Deletes what can be deleted and says how many objects remain, held by finalizers. */
  async #clear({ kind, namespace }: Contents): Promise<number> {
    const query = { kind, namespace, selector: EVERYTHING, limit: 0, after: undefined };
    const { objects } = await this.#tools.reader.page(query);
    for (const { metadata } of objects) {
      await this.#remove({ kind, namespace: metadata.namespace ?? '', name: metadata.name });
    }
    return objects.length === 0 ? 0 : (await this.#tools.reader.page(query)).objects.length;
  }

  #remove(place: Place): Promise<void> {
    return this.#quietly(place, async () => {
      await this.#tools.writer.delete(place, { isDryRun: false });
    });
  }

  /** Another client may have been faster, or hold the object: both are fine, and the next change wakes us again. */
  async #quietly({ kind, name }: Place, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      this.#tools.logger.debug({ kind: kind.plural, name, reason: messageOf(error) }, 'left for later');
    }
  }

  /** Every collection once, whatever versions it is served in. */
  #inNamespace(namespace: string): readonly Contents[] {
    const kinds = new Map<Collection, ResourceKind>();
    for (const kind of this.#tools.registry.all()) if (kind.isNamespaced) kinds.set(kind.collection, kind);
    return [...kinds.values()].map((kind) => ({ kind, namespace }));
  }

  #ofCrd(crd: KubeObject): readonly Contents[] {
    const collection = collectionOf(crdGroup(crd), crdNames(crd).plural);
    const kind = this.#tools.registry.all().find((each) => each.collection === collection);
    return kind === undefined ? [] : [{ kind, namespace: undefined }];
  }
}

const keyOf = (kind: ResourceKind, { metadata }: KubeObject): string => `${kind.plural}/${metadata.name}`;
