// What a create and an update make of an object: pure, from what was stored and what was sent to what is to be stored.
import { sameJson, without, withMember, type KubeObject } from '../json.ts';
import { completed, kindCauses } from '../kinds/kind-rules.ts';
import type { ResourceKind } from '../kinds/resource-kind.ts';
import { validate } from '../schema/validate.ts';
import { badRequest, conflict, invalid, type StatusCause } from '../status.ts';
import { createdMeta, metaCauses, updatedMeta, withoutEmptyLists, type Fresh } from './object-meta.ts';

export type Subresource = 'status' | undefined;

export interface Sent {
  readonly kind: ResourceKind;
  readonly object: KubeObject;
  readonly subresource: Subresource;
}

/** The object as it will be stored. A custom kind with a status subresource starts without status. */
export function createdObject({ kind, object }: Sent, namespace: string, fresh: Fresh): KubeObject {
  checkAddress(object, namespace);
  if (object.metadata.resourceVersion !== undefined && object.metadata.resourceVersion !== '') {
    throw badRequest('resourceVersion should not be set on objects to be created');
  }
  const metadata = createdMeta(kind, object.metadata, namespace, fresh);
  const sent = kind.isCustom && kind.hasStatus ? withMember(object, 'status', undefined) : object;
  const made = completed(kind, { ...sent, metadata }, fresh.time);
  refuseInvalid(kind, made, undefined);
  return made;
}

/** The object as it will be stored; deeply equal to the old one when nothing changes. */
export function updatedObject(sent: Sent, old: KubeObject, fresh: Fresh): KubeObject {
  const { kind, subresource } = sent;
  checkSameObject(sent, old);
  const merged = subresource === 'status' ? withNewStatus(sent, old) : withNewBody(sent, old);
  const made = withGeneration(kind, completed(kind, merged, fresh.time), old);
  refuseInvalid(kind, made, old);
  return made;
}

function withNewBody({ kind, object }: Sent, old: KubeObject): KubeObject {
  const metadata = withoutEmptyLists(updatedMeta(object.metadata, old.metadata));
  const next = { ...object, metadata };
  return kind.hasStatus ? withMember(next, 'status', old['status']) : next;
}

/** Custom kinds take nothing but the status here; built-in kinds take labels and annotations too. */
function withNewStatus({ kind, object }: Sent, old: KubeObject): KubeObject {
  const metadata = kind.isCustom ? old.metadata : withoutEmptyLists(updatedMeta(object.metadata, old.metadata));
  return withMember({ ...old, metadata }, 'status', object['status']);
}

function withGeneration(kind: ResourceKind, object: KubeObject, old: KubeObject): KubeObject {
  if (!kind.hasGeneration || sameJson(desiredOf(kind, object), desiredOf(kind, old))) return object;
  return { ...object, metadata: { ...object.metadata, generation: (old.metadata.generation ?? 0) + 1 } };
}

/** The part whose changes `generation` counts. */
function desiredOf(kind: ResourceKind, object: KubeObject): unknown {
  return without(object, 'metadata', 'apiVersion', ...(kind.hasStatus ? ['status'] : []));
}

function checkAddress(object: KubeObject, namespace: string): void {
  const sent = object.metadata.namespace;
  if (sent === undefined || sent === '' || sent === namespace) return;
  throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
}

function checkSameObject({ kind, object }: Sent, old: KubeObject): void {
  const { name, uid = '' } = object.metadata;
  checkAddress(object, old.metadata.namespace ?? '');
  if (name !== old.metadata.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${old.metadata.name})`);
  }
  if (uid !== '' && uid !== old.metadata.uid) {
    const why = `UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid ?? ''}`;
    throw conflict(kind, name, `Precondition failed: ${why}`);
  }
  checkVersion(kind, object, old);
}

function checkVersion(kind: ResourceKind, object: KubeObject, old: KubeObject): void {
  const { name, resourceVersion = '' } = object.metadata;
  if (resourceVersion === '' && !kind.allowsBlindUpdate) {
    const message = 'Invalid value: 0x0: must be specified for an update';
    throw invalid(kind, name, [{ reason: 'FieldValueInvalid', message, field: 'metadata.resourceVersion' }]);
  }
  if (resourceVersion !== '' && resourceVersion !== old.metadata.resourceVersion) throw conflict(kind, name);
}

function refuseInvalid(kind: ResourceKind, object: KubeObject, old: KubeObject | undefined): void {
  const found = causesOf(kind, object, old);
  if (found.length === 0) return;
  const known = new Set(old === undefined ? [] : causesOf(kind, old, undefined).map(causeText));
  const fresh = found.filter((cause) => !known.has(causeText(cause)));
  if (fresh.length > 0) throw invalid(kind, object.metadata.name, fresh);
}

/** What was already wrong before (the CRD became stricter since) does not keep the rest from being changed. */
const causeText = ({ field, message }: StatusCause): string => `${field}: ${message}`;

function causesOf(kind: ResourceKind, object: KubeObject, old: KubeObject | undefined): readonly StatusCause[] {
  const shape = validate(kind.schema, object);
  return shape.length > 0 ? shape : [...metaCauses(kind, object, old), ...kindCauses(kind, object, old)];
}
