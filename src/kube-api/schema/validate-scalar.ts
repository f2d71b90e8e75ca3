import type { Json } from '../json.ts';
import type { StatusCause } from '../status.ts';
import { invalidValue, tooLong } from './causes.ts';
import { hasFormat } from './formats.ts';
import type { Schema } from './schema.ts';

export function scalarCauses(schema: Schema, value: Json, path: string): readonly StatusCause[] {
  if (typeof value === 'string') return textCauses(schema, value, path);
  if (typeof value === 'number') return numberCauses(schema, value, path);
  return [];
}

function textCauses(schema: Schema, value: string, path: string): readonly StatusCause[] {
  const { minLength = 0, maxLength = Infinity, pattern, format } = schema;
  const length = lengthOf(value);
  const wrong = (what: string): StatusCause => invalidValue(path, value, `${path} in body ${what}`);
  return [
    ...(length < minLength ? [wrong(`should be at least ${minLength} chars long`)] : []),
    ...(length > maxLength ? [tooLong(path, maxLength)] : []),
    ...(pattern !== undefined && !regExpOf(pattern).test(value) ? [wrong(`should match '${pattern}'`)] : []),
    ...(format !== undefined && !hasFormat(format, value)
      ? [wrong(`must be of type ${format}: ${JSON.stringify(value)}`)]
      : []),
  ];
}

function numberCauses(schema: Schema, value: number, path: string): readonly StatusCause[] {
  const { multipleOf, format } = schema;
  const wrong = [
    ...boundaryProblems(schema, value),
    ...(multipleOf !== undefined && !isMultiple(value, multipleOf) ? [`a multiple of ${multipleOf}`] : []),
    ...(isOutsideFormat(format, value) ? [`of type ${format ?? ''}`] : []),
  ];
  return wrong.map((what) => invalidValue(path, value, `${path} in body should be ${what}`));
}

function boundaryProblems(schema: Schema, value: number): readonly string[] {
  const { minimum = -Infinity, maximum = Infinity } = schema;
  const isLow = schema.exclusiveMinimum === true ? value <= minimum : value < minimum;
  const isHigh = schema.exclusiveMaximum === true ? value >= maximum : value > maximum;
  const than = (isExclusive: boolean | undefined): string => (isExclusive === true ? 'than' : 'than or equal to');
  return [
    ...(isLow ? [`greater ${than(schema.exclusiveMinimum)} ${minimum}`] : []),
    ...(isHigh ? [`less ${than(schema.exclusiveMaximum)} ${maximum}`] : []),
  ];
}

/** Characters are code points, as in Go. */
const lengthOf = (text: string): number => text.length - (text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0);

const isMultiple = (value: number, of: number): boolean => Math.abs(value / of - Math.round(value / of)) < 1e-9;

const isOutsideFormat = (format: string | undefined, value: number): boolean =>
  format === 'int32' && (value < -(2 ** 31) || value >= 2 ** 31);

const compiled = new Map<string, RegExp>();
const MOST_COMPILED = 1000;

/** Go's and JavaScript's expressions agree on what schemas use; a CRD with one that JavaScript cannot read is refused. */
function regExpOf(pattern: string): RegExp {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  if (compiled.size >= MOST_COMPILED) compiled.clear();
  const made = new RegExp(pattern, 'u');
  compiled.set(pattern, made);
  return made;
}
