// `additionalPrinterColumns` of a CRD → columns.
import { listOf, objectOf, textOf, type Json, type JsonObject } from '../json.ts';
import { ageOf } from './age.ts';
import { nameColumn, defaultColumns } from './built-in-columns.ts';
import { column, type Column } from './column.ts';
import { parseJsonPath, type JsonPath } from './json-path.ts';

const NOWHERE: JsonPath = () => [];

export function crdColumns(version: JsonObject): readonly Column[] {
  const printed = listOf(version['additionalPrinterColumns']);
  return printed.length === 0 ? defaultColumns : [nameColumn, ...printed.map((each) => crdColumn(objectOf(each)))];
}

function crdColumn(printed: JsonObject): Column {
  const find = parseJsonPath(textOf(printed['jsonPath'])) ?? NOWHERE;
  const type = textOf(printed['type']) as Column['type'];
  return column(textOf(printed['name']), (object, now) => cellOf(type, find(object), now), {
    type,
    format: textOf(printed['format']),
    description: textOf(printed['description']),
    priority: Number(printed['priority'] ?? 0),
  });
}

/** The first value found, as its column's type asks; a missing or unfitting one is `null`, which kubectl prints as empty. */
function cellOf(type: Column['type'], [first]: readonly Json[], now: number): Json {
  if (first === undefined || first === null) return null;
  if (type === 'date') return ageOf(first, now);
  if (type === 'string') return typeof first === 'string' ? first : JSON.stringify(first);
  if (type === 'integer') return typeof first === 'number' ? Math.trunc(first) : null;
  return typeof first === type ? first : null;
}
