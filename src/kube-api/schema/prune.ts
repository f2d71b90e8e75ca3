import { isList, isObject, mapItems, mapMembers, type Json } from '../json.ts';
import { memberSchema, type Schema } from './schema.ts';

export interface Pruned<T extends Json = Json> {
  readonly value: T;
  /** Paths of what was taken away, as `spec.properties[0].bogus`. */
  readonly unknown: readonly string[];
}

/** The value without the members that its schema does not know. Values of the wrong type are left for validation to name. */
export function prune<T extends Json>(schema: Schema, value: T): Pruned<T> {
  const unknown: string[] = [];
  return { value: pruneValue(schema, value, { path: '', unknown }) as T, unknown };
}

interface Place {
  readonly path: string;
  readonly unknown: string[];
}

function pruneValue(schema: Schema, value: Json, place: Place): Json {
  if (isList(value)) {
    const { items } = schema;
    if (items === undefined) return value;
    return mapItems(value, (item, index) => pruneValue(items, item, { ...place, path: `${place.path}[${index}]` }));
  }
  if (!isObject(value)) return value;
  return mapMembers(value, (member, name) => {
    const path = place.path === '' ? name : `${place.path}.${name}`;
    return pruneMember(schema, name, { value: member, place: { ...place, path } });
  });
}

function pruneMember(schema: Schema, name: string, member: { value: Json; place: Place }): Json | undefined {
  const known = memberSchema(schema, name);
  if (known !== undefined) return pruneValue(known, member.value, member.place);
  if (schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties === true)
    return member.value;
  member.place.unknown.push(member.place.path);
  return undefined;
}
