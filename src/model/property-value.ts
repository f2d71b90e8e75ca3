// What a client wrote → the text a twin stores. Values live as text everywhere, as in KubeEdge: scalars in their shortest usual
// form, objects and arrays as JSON. Nothing is rounded on the way: a 64-bit integer stays the digits that were sent.
import type { PropertyDefinition, PropertyType } from './device.ts';

export type ValueCheck =
  { readonly kind: 'ok'; readonly text: string } | { readonly kind: 'refused'; readonly reason: string };

const INTEGER = /^[+-]?\d+$/;
/** Digits of any 64-bit integer, and some leading zeros: longer ones are not even counted. */
const MOST_DIGITS = 64;
const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** Type names as clients write them: the model's, and the legacy ones of older KubeEdge clients (`Updated` included). */
const TYPE_NAMES: Readonly<Record<string, PropertyType>> = {
  '': 'STRING',
  string: 'STRING',
  updated: 'STRING',
  deleted: 'STRING',
  int: 'INT',
  integer: 'INT',
  float: 'FLOAT',
  double: 'DOUBLE',
  boolean: 'BOOLEAN',
  bool: 'BOOLEAN',
  bytes: 'BYTES',
  stream: 'STREAM',
};

/** The type a client's `metadata.type` names, in any case; `undefined` for a name nobody knows. */
export function propertyTypeNamed(name: string): PropertyType | undefined {
  const lowered = name.toLowerCase();
  return Object.hasOwn(TYPE_NAMES, lowered) ? TYPE_NAMES[lowered] : undefined;
}

/** The client's own word for the type, where KubeEdge stores it as it is and it is not the usual one. */
export function unusualTypeName(name: string | undefined, type: PropertyType): string | undefined {
  return name === 'integer' && type === 'INT' ? name : undefined;
}

/** Checks a raw JSON value against the property's type and limits. Pure; the reason is a sentence without the property's name. */
export function checkValue(
  raw: unknown,
  property: Pick<PropertyDefinition, 'type' | 'minimum' | 'maximum'>,
): ValueCheck {
  const read = textOf(raw);
  if (read.kind === 'refused') return read;
  const { text } = read;
  switch (property.type) {
    case 'INT':
      return isRounded(raw) ? refused(ROUNDED) : checkInteger(text, property);
    case 'FLOAT':
    case 'DOUBLE':
      return checkDecimal(text, property);
    case 'BOOLEAN':
      return checkBoolean(text);
    case 'STRING':
    case 'BYTES':
    case 'STREAM':
      return ok(text);
  }
}

const ROUNDED = 'is larger than the integers that JSON numbers carry exactly; send its digits as a string';
const isRounded = (raw: unknown): boolean => Number.isInteger(raw) && !Number.isSafeInteger(raw);

function textOf(raw: unknown): ValueCheck {
  if (raw === null || raw === undefined) return refused('has a null value; leave the property out, or give it a value');
  if (typeof raw === 'string') return ok(raw);
  try {
    return ok(JSON.stringify(raw));
  } catch (error) {
    // `JSON.parse` bears any depth, `JSON.stringify` only that of the stack.
    if (error instanceof RangeError) return refused('is nested too deeply');
    throw error;
  }
}

function checkBoolean(text: string): ValueCheck {
  return text === 'true' || text === 'false' ? ok(text) : refused(`must be true or false, not ${quote(text)}`);
}

function checkInteger(text: string, limits: Pick<PropertyDefinition, 'minimum' | 'maximum'>): ValueCheck {
  if (!INTEGER.test(text)) return refused(`must be an integer, not ${quote(text)}`);
  const value = text.length > MOST_DIGITS ? INT64_MAX + 1n : integerOf(text);
  if (value < INT64_MIN || value > INT64_MAX) return refused(`must fit 64 bits, not ${quote(text)}`);
  return withinLimits(value, text, limits);
}

function checkDecimal(text: string, limits: Pick<PropertyDefinition, 'minimum' | 'maximum'>): ValueCheck {
  if (!DECIMAL.test(text) || !Number.isFinite(Number(text)))
    return refused(`must be a finite decimal number, not ${quote(text)}`);
  return withinLimits(Number(text), text, limits);
}

/** `BigInt` takes no plus sign. */
const integerOf = (text: string): bigint => BigInt(text.startsWith('+') ? text.slice(1) : text);
/** Exact for integers: one that is compared as a floating number is equal to its neighbours beyond 2^53. */
const limitOf = (text: string): bigint | number => (INTEGER.test(text) ? integerOf(text) : Number(text));

function withinLimits(
  value: bigint | number,
  text: string,
  limits: Pick<PropertyDefinition, 'minimum' | 'maximum'>,
): ValueCheck {
  if (limits.minimum !== undefined && limits.minimum !== '' && value < limitOf(limits.minimum)) {
    return refused(`must be at least ${limits.minimum}, not ${text}`);
  }
  if (limits.maximum !== undefined && limits.maximum !== '' && value > limitOf(limits.maximum)) {
    return refused(`must be at most ${limits.maximum}, not ${text}`);
  }
  return ok(text);
}

const ok = (text: string): ValueCheck => ({ kind: 'ok', text });
const refused = (reason: string): ValueCheck => ({ kind: 'refused', reason });
const quote = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
