// Rules on `metadata`: what the server sets, what a client may change, what is malformed.
import {
  without,
  isObject,
  isList,
  mapItems,
  mapMembers,
  objectOf,
  textOf,
  withMember,
  type Json,
  type JsonObject,
  type KubeObject,
  type ObjectMeta,
} from '../json.ts';
import type { ResourceKind } from '../kinds/resource-kind.ts';
import { forbiddenValue, invalidValue, required } from '../schema/causes.ts';
import type { StatusCause } from '../status.ts';
import { generatedName, problemsOfKey, problemsOfLabelValue, problemsOfName } from './names.ts';

/** Where fresh values come from; passed in so that rules stay pure. */
export interface Fresh {
  /** Now, as Kubernetes writes times: whole seconds, UTC. */
  readonly time: string;
  readonly uid: () => string;
}

const SET_BY_SERVER = [
  'name',
  'namespace',
  'uid',
  'generateName',
  'creationTimestamp',
  'generation',
  'resourceVersion',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'selfLink',
];

const ANNOTATION_BYTES = 256 * 1024;

export function createdMeta(kind: ResourceKind, sent: JsonObject, namespace: string, fresh: Fresh): ObjectMeta {
  const name =
    textOf(sent['name']) || (textOf(sent['generateName']) === '' ? '' : generatedName(textOf(sent['generateName'])));
  return {
    ...without(sent, 'resourceVersion', 'deletionTimestamp', 'selfLink'),
    name,
    ...(kind.isNamespaced ? { namespace } : {}),
    uid: fresh.uid(),
    creationTimestamp: fresh.time,
    ...(kind.hasGeneration ? { generation: 1 } : {}),
  };
}

/** What the server set stays as it was, whatever the client sent. */
export function updatedMeta(sent: JsonObject, old: ObjectMeta): ObjectMeta {
  const kept = SET_BY_SERVER.flatMap((name) => (old[name] === undefined ? [] : [[name, old[name]] as const]));
  const managedFields = sent['managedFields'] ?? old['managedFields'];
  return {
    ...(Object.fromEntries(kept) as unknown as ObjectMeta),
    ...without(sent, ...SET_BY_SERVER),
    ...(managedFields === undefined ? {} : { managedFields }),
  };
}

export function metaCauses(kind: ResourceKind, { metadata }: KubeObject, old?: KubeObject): readonly StatusCause[] {
  return [
    ...nameCauses(kind, metadata),
    ...labelCauses(objectOf(metadata.labels)),
    ...annotationCauses(objectOf(metadata.annotations)),
    ...finalizerCauses(metadata, old?.metadata),
  ];
}

function nameCauses(kind: ResourceKind, { name }: ObjectMeta): readonly StatusCause[] {
  if (name === '') return [required('metadata.name', 'name or generateName is required')];
  return problemsOfName(kind.nameForm, name).map((problem) => invalidValue('metadata.name', name, problem));
}

function labelCauses(labels: JsonObject): readonly StatusCause[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...problemsOfKey(key).map((problem) => invalidValue('metadata.labels', key, problem)),
    ...problemsOfLabelValue(textOf(value)).map((problem) => invalidValue('metadata.labels', textOf(value), problem)),
  ]);
}

function annotationCauses(annotations: JsonObject): readonly StatusCause[] {
  const entries = Object.entries(annotations);
  const size = entries.reduce((sum, [key, value]) => sum + key.length + textOf(value).length, 0);
  const tooLong = {
    reason: 'FieldValueTooLong',
    message: `Too long: may not be more than ${ANNOTATION_BYTES} bytes`,
    field: 'metadata.annotations',
  };
  return [
    ...entries.flatMap(([key]) =>
      problemsOfKey(key.toLowerCase()).map((problem) => invalidValue('metadata.annotations', key, problem)),
    ),
    ...(size > ANNOTATION_BYTES ? [tooLong] : []),
  ];
}

function finalizerCauses(metadata: ObjectMeta, old: ObjectMeta | undefined): readonly StatusCause[] {
  if (old?.deletionTimestamp === undefined) return [];
  const added = (metadata.finalizers ?? []).filter((each) => old.finalizers?.includes(each) !== true);
  if (added.length === 0) return [];
  const list = `[]string{${added.map((each) => JSON.stringify(each)).join(', ')}}`;
  const why = `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`;
  return [forbiddenValue('metadata.finalizers', why)];
}

/** `null` means "not there" in built-in kinds and in metadata. */
export function withoutNulls(value: Json): Json {
  if (isList(value)) return mapItems(value, withoutNulls);
  if (!isObject(value)) return value;
  return mapMembers(value, (member) => (member === null ? undefined : withoutNulls(member)));
}

export function markedForDeletion(object: KubeObject, time: string): KubeObject {
  if (object.metadata.deletionTimestamp !== undefined) return object;
  return { ...object, metadata: { ...object.metadata, deletionTimestamp: time, deletionGracePeriodSeconds: 0 } };
}

export const isEnding = (object: KubeObject): boolean => object.metadata.deletionTimestamp !== undefined;
export const hasFinalizers = (object: KubeObject): boolean => (object.metadata.finalizers ?? []).length > 0;

export const withoutEmptyLists = (metadata: ObjectMeta): ObjectMeta =>
  metadata.finalizers?.length === 0 ? withMember(metadata, 'finalizers', undefined) : metadata;
