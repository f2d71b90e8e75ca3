// The one way to change an object: reads the newest state, lets the rules decide, and commits, in one step of the store.
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../kit/clock.ts';
import { sameJson, type Json, type KubeObject } from '../json.ts';
import { crdKind, namespaceKind } from '../kinds/built-in-kinds.ts';
import { kindWarnings } from '../kinds/kind-rules.ts';
import { apiVersionOf, type ResourceKind } from '../kinds/resource-kind.ts';
import { applied } from '../rules/apply/apply.ts';
import { withManagers, type Manager, type Writer } from '../rules/apply/managers.ts';
import { trackUpdate } from '../rules/apply/track-update.ts';
import { hasFinalizers, isEnding, markedForDeletion, type Fresh } from '../rules/object-meta.ts';
import { selectableOf } from '../rules/selector.ts';
import { shape } from '../rules/shape.ts';
import { asServed, asStored } from '../rules/versions.ts';
import { createdObject, updatedObject } from '../rules/write-rules.ts';
import { StatusError, alreadyExists, conflict, forbidden, notFound } from '../status.ts';
import type { Change, Decide, ObjectStore } from '../storage/object-store.ts';
import { addressOf, type Place } from './place.ts';
import { appliedConfig } from './applied-config.ts';
import type { DeleteOptions, WriteOptions } from './write-options.ts';

export interface Written {
  readonly object: KubeObject;
  readonly warnings: readonly string[];
  readonly isNew: boolean;
}

export type Deleted =
  { readonly kind: 'removed'; readonly object: KubeObject } | { readonly kind: 'ending'; readonly object: KubeObject };

/** From the object as its client sees it to what the client wants it to be. */
export type Edit = (current: KubeObject) => Json;

/** Puts down who manages which field of the changed object. */
type Track = (old: KubeObject, next: KubeObject, time: string) => KubeObject;

const PROTECTED_NAMESPACES = new Set(['default', 'kube-system', 'kube-public']);

export class ObjectWriter {
  readonly #store: ObjectStore;
  readonly #clock: Clock;

  constructor(tools: { readonly store: ObjectStore; readonly clock: Clock }) {
    this.#store = tools.store;
    this.#clock = tools.clock;
  }

  create(kind: ResourceKind, namespace: string, sent: Json, options: WriteOptions): Promise<Written> {
    return this.#create({ kind, namespace, name: '' }, sent, options, 'Update');
  }

  async #create(
    { kind, namespace }: Place,
    sent: Json,
    options: WriteOptions,
    operation: Writer['operation'],
  ): Promise<Written> {
    const { object: shaped, warnings } = shape(kind, sent, options.fieldValidation);
    this.#refuseCreate(kind, namespace);
    const fresh = this.#fresh();
    const created = createdObject({ kind, object: shaped, subresource: undefined }, namespace, fresh);
    const writer = writerOf(kind, options, { operation, time: fresh.time });
    const object = trackUpdate(kind.schema, undefined, withManagers(created, []), writer);
    const { name } = object.metadata;
    const stored = await this.#commit({ kind, namespace, name }, options, (current) => {
      if (current !== undefined) throw alreadyExists(kind, name);
      this.#refuseCreate(kind, namespace);
      return { kind: 'put', object: asStored(kind, object) };
    });
    return { object: asServed(kind, stored), warnings: [...warnings, ...kindWarnings(kind, stored)], isNew: true };
  }

  /** Changes an object that exists. The edit may run against a newer state than the one its caller read. */
  change(place: Place, options: WriteOptions, edit: Edit): Promise<Written> {
    return this.#change(place, options, edit, (old, next, time) =>
      trackUpdate(place.kind.schema, old, next, writerOf(place.kind, options, { operation: 'Update', time })),
    );
  }

  /** Server-side apply: creates the object, or merges what its manager wants into it. */
  async apply(place: Place, options: WriteOptions, sent: Json): Promise<Written> {
    const { kind } = place;
    const config = appliedConfig(place, options, sent);
    const { time } = this.#fresh();
    if (this.#store.peek(addressOf(place)) === undefined && options.subresource === undefined) {
      return this.#create(place, config, options, 'Apply');
    }
    const writer = writerOf(kind, options, { operation: 'Apply', time });
    let managers: readonly Manager[] = [];
    const edit: Edit = (current) => {
      const result = applied({ schema: kind.schema, config, writer, force: options.force }, current);
      managers = result.managers;
      return result.object;
    };
    return this.#change(place, options, edit, (_old, next) => withManagers(next, managers));
  }

  async #change(place: Place, options: WriteOptions, edit: Edit, track: Track): Promise<Written> {
    const { kind, name } = place;
    let warnings: readonly string[] = [];
    const stored = await this.#commit(place, options, (current) => {
      if (current === undefined) throw notFound(kind, name);
      const old = asServed(kind, current);
      const shaped = shape(kind, edit(old), options.fieldValidation);
      warnings = shaped.warnings;
      const fresh = this.#fresh();
      const updated = updatedObject({ kind, object: shaped.object, subresource: options.subresource }, old, fresh);
      return changeOf(kind, { current, old, next: track(old, updated, fresh.time) });
    });
    return { object: asServed(kind, stored), warnings: [...warnings, ...kindWarnings(kind, stored)], isNew: false };
  }

  /** Removes the object, or marks it while finalizers or contents (of a namespace, of a CRD) remain. */
  async delete(place: Place, options: DeleteOptions): Promise<Deleted> {
    const { kind, name } = place;
    let outcome = 'keep' as Change['kind'];
    const stored = await this.#commit(place, options, (current) => {
      if (current === undefined) throw notFound(kind, name);
      refuseDelete(place, current, options);
      const change = this.#deletionOf(kind, current);
      outcome = change.kind;
      return change;
    });
    return { kind: outcome === 'remove' ? 'removed' : 'ending', object: asServed(kind, stored) };
  }

  /** Removes a namespace or CRD whose contents are gone. Does nothing while its own finalizers remain. */
  async finish(place: Place): Promise<void> {
    await this.#store.write(addressOf(place), (current) => {
      if (current === undefined) throw notFound(place.kind, place.name);
      const isDone = isEnding(current) && !hasFinalizers(current);
      return isDone ? removal(place.kind, current) : { kind: 'keep', object: current };
    });
  }

  async #commit(place: Place, { isDryRun }: { readonly isDryRun: boolean }, decide: Decide): Promise<KubeObject> {
    const address = addressOf(place);
    return isDryRun ? decide(this.#store.peek(address)).object : this.#store.write(address, decide);
  }

  #deletionOf(kind: ResourceKind, current: KubeObject): Change {
    if (!hasFinalizers(current) && !holdsOthers(kind)) return removal(kind, current);
    if (isEnding(current)) return { kind: 'keep', object: current };
    const marked = markedForDeletion(current, this.#fresh().time);
    const status = kind === namespaceKind ? { status: { phase: 'Terminating' } } : {};
    return { kind: 'put', object: { ...marked, ...status }, before: selectableOf(kind, current) };
  }

  /** Objects need a namespace that exists and stays, and a kind that stays. */
  #refuseCreate(kind: ResourceKind, namespace: string): void {
    if (kind.isEnding) {
      throw new StatusError(
        405,
        'MethodNotAllowed',
        'create not allowed while custom resource definition is terminating',
        {},
      );
    }
    if (!kind.isNamespaced) return;
    const found = this.#store.peek({ collection: namespaceKind.collection, namespace: '', name: namespace });
    if (found === undefined) throw notFound(namespaceKind, namespace);
    if (!isEnding(found)) return;
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
    const cause = {
      reason: 'NamespaceTerminating',
      message: `namespace ${namespace} is being terminated`,
      field: 'metadata.namespace',
    };
    throw forbidden(kind, '', why, [cause]);
  }

  #fresh(): Fresh {
    const time = `${new Date(this.#clock.now()).toISOString().slice(0, 19)}Z`;
    return { time, uid: randomUUID };
  }
}

function writerOf(
  kind: ResourceKind,
  { fieldManager, subresource }: WriteOptions,
  when: Pick<Writer, 'operation' | 'time'>,
): Writer {
  return { name: fieldManager, apiVersion: apiVersionOf(kind), subresource: subresource ?? '', ...when };
}

interface Step {
  readonly current: KubeObject;
  readonly old: KubeObject;
  readonly next: KubeObject;
}

function changeOf(kind: ResourceKind, { current, old, next }: Step): Change {
  const object = asStored(kind, next);
  if (isEnding(next) && !hasFinalizers(next) && hasFinalizers(old) && !holdsOthers(kind)) {
    return { kind: 'remove', object, before: selectableOf(kind, current) };
  }
  if (sameJson(object, current)) return { kind: 'keep', object: current };
  return { kind: 'put', object, before: selectableOf(kind, current) };
}

const removal = (kind: ResourceKind, current: KubeObject): Change => ({
  kind: 'remove',
  object: current,
  before: selectableOf(kind, current),
});

const holdsOthers = (kind: ResourceKind): boolean => kind === namespaceKind || kind === crdKind;

function refuseDelete({ kind, name }: Place, { metadata }: KubeObject, { uid, resourceVersion }: DeleteOptions): void {
  if (kind === namespaceKind && PROTECTED_NAMESPACES.has(name))
    throw forbidden(kind, name, 'this namespace may not be deleted');
  if (uid !== undefined && uid !== metadata.uid) {
    throw conflict(kind, name, preconditionFailed('UID', uid, metadata.uid));
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    throw conflict(kind, name, preconditionFailed('ResourceVersion', resourceVersion, metadata.resourceVersion));
  }
}

const preconditionFailed = (what: string, wanted: string, found = ''): string =>
  `Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${found}`;
