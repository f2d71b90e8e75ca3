import { isList, objectOf, textOf, type Json, type KubeObject } from '../../json.ts';
import { decodeFields, encodeFields, sameSet, type FieldSet } from './field-set.ts';

/** One writer and the fields that it manages. */
export interface Manager {
  readonly name: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string;
  readonly fields: FieldSet;
}

/** Who is writing now. */
export type Writer = Omit<Manager, 'fields'>;

export function managersOf({ metadata }: KubeObject): readonly Manager[] {
  const entries = metadata['managedFields'];
  return isList(entries) ? entries.map(managerOf) : [];
}

export function withManagers(object: KubeObject, managers: readonly Manager[]): KubeObject {
  const managedFields = managers.filter(({ fields }) => fields.size > 0).map(entryOf);
  return { ...object, metadata: { ...object.metadata, managedFields } };
}

export const isSameWriter = (left: Writer, right: Writer): boolean =>
  left.name === right.name && left.operation === right.operation && left.subresource === right.subresource;

/** The managers with one of them now owning other fields; its time moves only when they changed. */
export function withFields(managers: readonly Manager[], writer: Writer, fields: FieldSet): readonly Manager[] {
  const old = managers.find((each) => isSameWriter(each, writer));
  if (old === undefined) return [...managers, { ...writer, fields }];
  if (sameSet(old.fields, fields)) return managers;
  return managers.map((each) => (each === old ? { ...writer, fields } : each));
}

function managerOf(entry: Json): Manager {
  const stored = objectOf(entry);
  return {
    name: textOf(stored['manager']),
    operation: stored['operation'] === 'Apply' ? 'Apply' : 'Update',
    apiVersion: textOf(stored['apiVersion']),
    subresource: textOf(stored['subresource']),
    time: textOf(stored['time']),
    fields: decodeFields(stored['fieldsV1']),
  };
}

function entryOf({ name, operation, apiVersion, subresource, time, fields }: Manager): Json {
  const through = subresource === '' ? {} : { subresource };
  return {
    manager: name,
    operation,
    apiVersion,
    time,
    fieldsType: 'FieldsV1',
    fieldsV1: encodeFields(fields),
    ...through,
  };
}
