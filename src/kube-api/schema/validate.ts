// Checks a value against a structural schema and names everything that is wrong with it in Kubernetes' words, all at once.
// It interprets the schema; there is nothing to compile when a CRD changes.
import { isList, isObject, sameJson, type Json, type JsonObject } from '../json.ts';
import type { StatusCause } from '../status.ts';
import { duplicate, notSupported, required, tooMany, wrongType, invalidValue } from './causes.ts';
import { scalarCauses } from './validate-scalar.ts';
import { memberSchema, type Schema } from './schema.ts';

export function validate(schema: Schema, value: Json, path = ''): readonly StatusCause[] {
  if (value === null && schema.nullable === true) return [];
  if (!hasType(schema, value)) return [wrongType(path, value, wantedType(schema))];
  return [
    ...enumCauses(schema, value, path),
    ...scalarCauses(schema, value, path),
    ...(isList(value) ? listCauses(schema, value, path) : []),
    ...(isObject(value) ? objectCauses(schema, value, path) : []),
    ...combinationCauses(schema, value, path),
  ];
}

function hasType(schema: Schema, value: Json): boolean {
  if (schema['x-kubernetes-int-or-string'] === true) return typeof value === 'string' || Number.isInteger(value);
  switch (schema.type) {
    case undefined:
    case '':
      return true;
    case 'array':
      return isList(value);
    case 'object':
      return isObject(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === schema.type;
  }
}

const wantedType = (schema: Schema): string =>
  schema['x-kubernetes-int-or-string'] === true ? 'integer,string' : (schema.type ?? '');

function enumCauses(schema: Schema, value: Json, path: string): readonly StatusCause[] {
  if (schema.enum === undefined || schema.enum.some((each) => sameJson(each, value))) return [];
  return [notSupported(path, value, schema.enum)];
}

function objectCauses(schema: Schema, value: JsonObject, path: string): readonly StatusCause[] {
  const missing = (schema.required ?? []).filter((name) => !Object.hasOwn(value, name));
  const members = Object.entries(value).flatMap(([name, member]) => {
    const known = memberSchema(schema, name);
    return known === undefined || member === undefined ? [] : validate(known, member, pathOf(path, name));
  });
  return [...missing.map((name) => required(pathOf(path, name))), ...members, ...sizeCauses(schema, value, path)];
}

function sizeCauses(schema: Schema, value: JsonObject, path: string): readonly StatusCause[] {
  const count = Object.keys(value).length;
  const { minProperties = 0, maxProperties = Infinity } = schema;
  return [
    ...(count < minProperties
      ? [invalidValue(path, count, `${path} in body should have at least ${minProperties} properties`)]
      : []),
    ...(count > maxProperties ? [tooMany(path, count, maxProperties)] : []),
  ];
}

function listCauses(schema: Schema, value: readonly Json[], path: string): readonly StatusCause[] {
  const { items, minItems = 0, maxItems = Infinity } = schema;
  return [
    ...(value.length < minItems
      ? [invalidValue(path, value.length, `${path} in body should have at least ${minItems} items`)]
      : []),
    ...(value.length > maxItems ? [tooMany(path, value.length, maxItems)] : []),
    ...(items === undefined ? [] : value.flatMap((item, index) => validate(items, item, `${path}[${index}]`))),
    ...duplicateCauses(schema, value, path),
  ];
}

/** `x-kubernetes-list-type`: a set holds every value once, a map every combination of its keys. */
function duplicateCauses(schema: Schema, value: readonly Json[], path: string): readonly StatusCause[] {
  const identity = identityOf(schema);
  if (identity === undefined) return [];
  const seen = new Set<string>();
  return value.flatMap((item, index) => {
    const key = identity(item);
    const text = JSON.stringify(key);
    if (!seen.has(text)) {
      seen.add(text);
      return [];
    }
    return [duplicate(`${path}[${index}]`, key)];
  });
}

function identityOf(schema: Schema): ((item: Json) => Json) | undefined {
  if (schema['x-kubernetes-list-type'] === 'set' || schema.uniqueItems === true) return (item) => item;
  if (schema['x-kubernetes-list-type'] !== 'map') return undefined;
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  return (item) =>
    Object.fromEntries(
      keys.map((key) => [
        key,
        (isObject(item) ? item[key] : undefined) ?? schema.items?.properties?.[key]?.default ?? null,
      ]),
    );
}

function combinationCauses(schema: Schema, value: Json, path: string): readonly StatusCause[] {
  const fits = (each: Schema): boolean => validate(each, value, path).length === 0;
  const { anyOf, oneOf, not } = schema;
  const found = oneOf?.filter(fits).length ?? 1;
  return [
    ...(schema.allOf ?? []).flatMap((each) => validate(each, value, path)),
    ...(anyOf !== undefined && !anyOf.some(fits) ? [combined(path, value, 'at least one schema (anyOf)')] : []),
    ...(found === 1
      ? []
      : [combined(path, value, `one and only one schema (oneOf). Found ${found === 0 ? 'none' : found} valid`)]),
    ...(not !== undefined && fits(not)
      ? [invalidValue(path, value, `${path} in body must not validate the schema (not)`)]
      : []),
  ];
}

const combined = (path: string, value: Json, what: string): StatusCause =>
  invalidValue(path, value, `${path} in body must validate ${what}`);

const pathOf = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);
