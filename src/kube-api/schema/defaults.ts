import { isList, isObject, mapItems, mapMembers, type Json } from '../json.ts';
import { memberSchema, type Schema } from './schema.ts';

/** The value with the schema's defaults where members are missing, or are `null` though they may not be. */
export function withDefaults<T extends Json>(schema: Schema, value: T): T {
  return defaulted(schema, value) as T;
}

function defaulted(schema: Schema, value: Json): Json {
  if (!hasDefaults(schema)) return value;
  if (isList(value)) {
    const { items } = schema;
    return items === undefined ? value : mapItems(value, (item) => defaulted(items, item));
  }
  if (!isObject(value)) return value;
  const present = mapMembers(value, (member, name) => {
    const known = memberSchema(schema, name);
    return known === undefined ? member : filled(known, member);
  });
  const missing = Object.entries(schema.properties ?? {}).flatMap(([name, known]) =>
    known.default === undefined || Object.hasOwn(value, name) ? [] : [[name, defaulted(known, known.default)] as const],
  );
  return missing.length === 0 ? present : { ...present, ...Object.fromEntries(missing) };
}

const filled = (schema: Schema, value: Json): Json =>
  value === null && schema.nullable !== true && schema.default !== undefined
    ? defaulted(schema, schema.default)
    : defaulted(schema, value);

const known = new WeakMap<Schema, boolean>();

/** Whether a default stands anywhere in the schema: the rest of a value need not be walked. */
function hasDefaults(schema: Schema): boolean {
  const found = known.get(schema);
  if (found !== undefined) return found;
  const { properties = {}, items, additionalProperties } = schema;
  const below = [...Object.values(properties), items, additionalProperties];
  const result = schema.default !== undefined || below.some((each) => typeof each === 'object' && hasDefaults(each));
  known.set(schema, result);
  return result;
}
