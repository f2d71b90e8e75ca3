import { isList, isObject, type Json } from '../json.ts';
import { memberSchema, type Schema } from './schema.ts';

/** The value with the schema's defaults where members are missing, or are `null` though they may not be. */
export function withDefaults<T extends Json>(schema: Schema, value: T): T {
  return defaulted(schema, value) as T;
}

function defaulted(schema: Schema, value: Json): Json {
  if (isList(value)) {
    const { items } = schema;
    return items === undefined ? value : value.map((item) => defaulted(items, item));
  }
  if (!isObject(value)) return value;
  const present = Object.entries(value).map(([name, member]) => {
    const known = memberSchema(schema, name);
    return [name, known === undefined ? member : filled(known, member ?? null)];
  });
  const missing = Object.entries(schema.properties ?? {}).flatMap(([name, known]) =>
    known.default === undefined || Object.hasOwn(value, name) ? [] : [[name, defaulted(known, known.default)]],
  );
  return Object.fromEntries([...present, ...missing]) as Json;
}

const filled = (schema: Schema, value: Json): Json =>
  value === null && schema.nullable !== true && schema.default !== undefined
    ? defaulted(schema, schema.default)
    : defaulted(schema, value);
