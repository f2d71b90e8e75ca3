// Whether a schema is structural: every value has one type, so that pruning and defaulting can walk it.
import { isList, isObject, listOf, objectOf, textOf, type Json, type JsonObject } from '../json.ts';
import { invalidValue, notSupported, required, forbiddenValue } from '../schema/causes.ts';
import { prune } from '../schema/prune.ts';
import type { Schema } from '../schema/schema.ts';
import { validate } from '../schema/validate.ts';
import type { StatusCause } from '../status.ts';

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];

export function structuralCauses(schema: JsonObject, path: string): readonly StatusCause[] {
  return [
    ...typeCauses(schema, path),
    ...patternCauses(schema, path),
    ...listCauses(schema, path),
    ...defaultCauses(schema, path),
    ...childCauses(schema, path),
  ];
}

function typeCauses(schema: JsonObject, path: string): readonly StatusCause[] {
  const type = schema['type'];
  const isFree =
    schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (type === undefined || type === '') {
    return isFree ? [] : [required(`${path}.type`, 'must not be empty for specified object fields')];
  }
  return TYPES.includes(textOf(type)) ? [] : [notSupported(`${path}.type`, type, TYPES)];
}

function patternCauses(schema: JsonObject, path: string): readonly StatusCause[] {
  const pattern = schema['pattern'];
  if (typeof pattern !== 'string') return [];
  try {
    new RegExp(pattern, 'u');
    return [];
  } catch {
    // The sentence below is the report; the engine's own words would name JavaScript to a writer of YAML.
    return [invalidValue(`${path}.pattern`, pattern, 'must be a valid regular expression')];
  }
}

function listCauses(schema: JsonObject, path: string): readonly StatusCause[] {
  const keys = schema['x-kubernetes-list-map-keys'];
  const isMap = schema['x-kubernetes-list-type'] === 'map';
  return [
    ...(schema['type'] === 'array' && !isObject(schema['items'])
      ? [required(`${path}.items`, 'must be specified')]
      : []),
    ...(isMap && listOf(keys).length === 0
      ? [required(`${path}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map')]
      : []),
    ...(schema['uniqueItems'] === true
      ? [forbiddenValue(`${path}.uniqueItems`, 'uniqueItems cannot be set to true')]
      : []),
  ];
}

/** A default must itself be what the schema asks for, or every object would be refused. */
function defaultCauses(schema: JsonObject, path: string): readonly StatusCause[] {
  const { default: value } = schema;
  if (value === undefined) return [];
  const rules = schema as Schema;
  const unknown = prune(rules, value).unknown.map((field) =>
    invalidValue(`${path}.default`, value, `must not have unknown fields: ${field}`),
  );
  return [...validate(rules, value, `${path}.default`), ...unknown];
}

function childCauses(schema: JsonObject, path: string): readonly StatusCause[] {
  const { properties, items, additionalProperties } = schema;
  const members = Object.entries(objectOf(properties)).flatMap(([name, member]) =>
    nested(member, `${path}.properties[${name}]`),
  );
  return [
    ...members,
    ...(isObject(items) ? nested(items, `${path}.items`) : []),
    ...(isList(items) ? [invalidValue(`${path}.items`, items, 'must be an object, not a list')] : []),
    ...(isObject(additionalProperties) ? nested(additionalProperties, `${path}.additionalProperties`) : []),
    ...(isObject(properties) && isObject(additionalProperties)
      ? [forbiddenValue(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive')]
      : []),
  ];
}

const nested = (schema: Json | undefined, path: string): readonly StatusCause[] =>
  isObject(schema) ? structuralCauses(schema, path) : [invalidValue(path, schema ?? null, 'must be a schema')];
