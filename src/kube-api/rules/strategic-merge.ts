// Strategic merge patch, for built-in kinds: like a merge patch, but lists whose schema names a merge key are merged item by
// item. Understands `$patch: delete|replace|merge`, `$deleteFromPrimitiveList`, `$setElementOrder` and `$retainKeys`.
import { isList, isObject, listOf, sameJson, type Json, type JsonObject } from '../json.ts';
import { memberSchema, type Schema } from '../schema/schema.ts';
import { badRequest } from '../status.ts';

const ORDER = '$setElementOrder/';
const DELETE_PRIMITIVES = '$deleteFromPrimitiveList/';
const NOTHING: Schema = {};

export function strategicMerge(schema: Schema, target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const directive = patch['$patch'];
  if (directive === 'replace') return withoutDirectives(patch);
  if (directive === 'delete') return {};
  const base = retained(isObject(target) ? target : {}, patch);
  const names = new Set([...Object.keys(base), ...Object.keys(patch).map(memberName)]);
  const members = [...names].flatMap((name) => {
    if (name.startsWith('$')) return [];
    const value = mergedMember(memberSchema(schema, name) ?? NOTHING, { base, patch, name });
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(members);
}

const ownMember = (object: JsonObject, name: string): Json | undefined =>
  Object.hasOwn(object, name) ? object[name] : undefined;

interface Member {
  readonly base: JsonObject;
  readonly patch: JsonObject;
  readonly name: string;
}

function mergedMember(schema: Schema, { base, patch, name }: Member): Json | undefined {
  const old = ownMember(base, name);
  const change = ownMember(patch, name);
  if (change === null) return undefined;
  const order = patch[ORDER + name];
  const gone = listOf(patch[DELETE_PRIMITIVES + name]);
  const isListChange = isList(change) || order !== undefined || gone.length > 0;
  if (!isListChange || !isList(old ?? change)) return change === undefined ? old : strategicMerge(schema, old, change);
  const kept = listOf(old).filter((item) => !gone.some((each) => sameJson(each, item)));
  return ordered(schema, mergedList(schema, kept, change), order);
}

function mergedList(schema: Schema, old: readonly Json[], change: Json | undefined): readonly Json[] {
  if (!isList(change)) return old;
  if (schema['x-kubernetes-patch-strategy']?.includes('merge') !== true) return change.map(withoutDirectivesOf);
  const key = schema['x-kubernetes-patch-merge-key'];
  if (key === undefined) return [...old, ...change.filter((item) => !old.some((each) => sameJson(each, item)))];
  if (change.some(isReplaceDirective)) return change.filter((item) => !isReplaceDirective(item));
  return change.reduce<readonly Json[]>((list, item) => mergedItem(schema, list, { item, key }), old);
}

function mergedItem(
  schema: Schema,
  list: readonly Json[],
  { item, key }: { item: Json; key: string },
): readonly Json[] {
  if (!isObject(item) || item[key] === undefined) {
    throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`);
  }
  const isSame = (each: Json): boolean => isObject(each) && sameJson(each[key], item[key]);
  if (item['$patch'] === 'delete') return list.filter((each) => !isSame(each));
  const items = schema.items ?? NOTHING;
  if (!list.some(isSame)) return [...list, strategicMerge(items, undefined, item)];
  return list.map((each) => (isSame(each) ? strategicMerge(items, each, item) : each));
}

/** `$setElementOrder` lists the items in the order that its sender wants; items that it does not name stay behind. */
function ordered(schema: Schema, list: readonly Json[], order: Json | undefined): readonly Json[] {
  if (!isList(order)) return list;
  const key = schema['x-kubernetes-patch-merge-key'];
  const identity = (item: Json): Json | undefined => (key !== undefined && isObject(item) ? item[key] : item);
  const wanted = order.map(identity);
  const rank = (item: Json): number => {
    const index = wanted.findIndex((each) => sameJson(each, identity(item)));
    return index === -1 ? wanted.length : index;
  };
  return [...list].sort((left, right) => rank(left) - rank(right));
}

function retained(base: JsonObject, patch: JsonObject): JsonObject {
  const keys = patch['$retainKeys'];
  if (!isList(keys)) return base;
  return Object.fromEntries(Object.entries(base).filter(([name]) => keys.includes(name)));
}

const isReplaceDirective = (item: Json): boolean => isObject(item) && item['$patch'] === 'replace';

const memberName = (name: string): string => (name.startsWith('$') ? name.slice(name.indexOf('/') + 1) : name);

function withoutDirectives(value: JsonObject): JsonObject {
  const members = Object.entries(value).filter(([name, member]) => !name.startsWith('$') && member !== null);
  return Object.fromEntries(members.map(([name, member]) => [name, withoutDirectivesOf(member ?? null)]));
}

function withoutDirectivesOf(value: Json): Json {
  if (isList(value)) return value.map(withoutDirectivesOf);
  return isObject(value) ? withoutDirectives(value) : value;
}
