// The two changes that an apply makes: what the configuration says goes in, what its manager no longer says goes out.
import { isList, isObject, type Json, type JsonObject } from '../../json.ts';
import { memberSchema, type Schema } from '../../schema/schema.ts';
import type { FieldPath } from './field-set.ts';
import { isWholeMap, itemElement, listKindOf } from './list-kind.ts';

const NOTHING: Schema = {};

/** The live value with the configuration laid over it. */
export function mergeFields(schema: Schema, live: Json | undefined, config: Json): Json {
  if (isObject(config) && isObject(live) && !isWholeMap(schema)) return mergeMembers(schema, live, config);
  if (isList(config) && isList(live)) return mergeItems(schema, live, config);
  return config;
}

function mergeMembers(schema: Schema, live: JsonObject, config: JsonObject): JsonObject {
  const merged = Object.entries(config).map(([name, value]) => {
    const old = Object.hasOwn(live, name) ? live[name] : undefined;
    return [name, mergeFields(memberSchema(schema, name) ?? NOTHING, old, value ?? null)] as const;
  });
  return { ...live, ...(Object.fromEntries(merged) as JsonObject) };
}

function mergeItems(schema: Schema, live: readonly Json[], config: readonly Json[]): readonly Json[] {
  const list = listKindOf(schema);
  if (list.kind === 'whole') return config;
  const changes = new Map(config.map((item) => [itemElement(list, item), item]));
  const kept = live.map((item) => {
    const element = itemElement(list, item);
    const change = changes.get(element);
    changes.delete(element);
    return change === undefined ? item : mergeFields(schema.items ?? NOTHING, item, change);
  });
  return [...kept, ...changes.values()];
}

/** The value without the field at a path; what is not there is not missed. */
export function removeField(schema: Schema, value: Json, path: FieldPath): Json {
  const [element, ...rest] = path;
  if (element === undefined) return value;
  if (isObject(value) && element.startsWith('f:')) return removeMember(schema, value, { name: element.slice(2), rest });
  if (isList(value)) return removeItem(schema, value, { element, rest });
  return value;
}

function removeMember(
  schema: Schema,
  value: JsonObject,
  { name, rest }: { name: string; rest: FieldPath },
): JsonObject {
  const members = Object.entries(value).flatMap(([each, member]) => {
    if (each !== name) return [[each, member] as const];
    const isGone = rest.length === 0;
    return isGone ? [] : [[each, removeField(memberSchema(schema, name) ?? NOTHING, member ?? null, rest)] as const];
  });
  return Object.fromEntries(members);
}

function removeItem(
  schema: Schema,
  value: readonly Json[],
  { element, rest }: { element: string; rest: FieldPath },
): readonly Json[] {
  const list = listKindOf(schema);
  if (list.kind === 'whole') return value;
  return value.flatMap((item) => {
    if (itemElement(list, item) !== element) return [item];
    return rest.length === 0 ? [] : [removeField(schema.items ?? NOTHING, item, rest)];
  });
}
