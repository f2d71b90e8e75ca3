import { isList, isObject, type Json, type JsonObject } from '../../json.ts';
import { memberSchema, type Schema } from '../../schema/schema.ts';
import { pathKey, type FieldPath } from './field-set.ts';
import { isWholeMap, itemElement, listKindOf } from './list-kind.ts';

/** Every field of a value with what it holds: `HERE` for things that are owned besides what is in them (maps, items). */
export type FieldValues = ReadonlyMap<string, Json>;

const NOTHING: Schema = {};
export const HERE: Json = Object.freeze({ '.': {} });

/** All fields of an object, but for what names it and what only the server writes. */
export function fieldsOf(schema: Schema, object: JsonObject): FieldValues {
  const found = new Map<string, Json>();
  for (const [name, value] of Object.entries(object)) {
    if (name === 'apiVersion' || name === 'kind' || value === undefined) continue;
    const below = name === 'metadata' && isObject(value) ? writableMeta(value) : value;
    if (below !== undefined) collect(memberSchema(schema, name) ?? NOTHING, below, { path: [`f:${name}`], found });
  }
  return found;
}

interface Place {
  readonly path: FieldPath;
  readonly found: Map<string, Json>;
}

function collect(schema: Schema, value: Json, place: Place): void {
  if (isObject(value) && Object.keys(value).length > 0 && !isWholeMap(schema)) collectMembers(schema, value, place);
  else if (isList(value)) collectItems(schema, value, place);
  else place.found.set(pathKey(place.path), value);
}

function collectMembers(schema: Schema, value: JsonObject, { path, found }: Place): void {
  if (schema.properties === undefined) found.set(pathKey(path), HERE);
  for (const [name, member] of Object.entries(value)) {
    collect(memberSchema(schema, name) ?? NOTHING, member ?? null, { path: [...path, `f:${name}`], found });
  }
}

function collectItems(schema: Schema, value: readonly Json[], { path, found }: Place): void {
  const list = listKindOf(schema);
  if (list.kind === 'whole') {
    found.set(pathKey(path), value);
    return;
  }
  found.set(pathKey(path), HERE);
  for (const item of value) {
    const below = [...path, itemElement(list, item)];
    found.set(pathKey(below), HERE);
    if (list.kind === 'keyed') collect(schema.items ?? NOTHING, item, { path: below, found });
  }
}

const WRITABLE_META = ['labels', 'annotations', 'finalizers', 'ownerReferences'];

function writableMeta(metadata: JsonObject): JsonObject | undefined {
  const kept = Object.entries(metadata).filter(([name]) => WRITABLE_META.includes(name));
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}
