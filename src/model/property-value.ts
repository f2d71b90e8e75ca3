// What a client wrote → the text a twin stores. Values live as text everywhere, as in KubeEdge: scalars in their shortest usual
// form, objects and arrays as JSON. Nothing is rounded on the way: a 64-bit integer stays the digits that were sent.
import type { PropertyDefinition, PropertyType } from './device.ts';
import { parseGoFloat } from './go-float.ts';
import { KUBEEDGE_REASONS, saidAsKubeEdge } from './kubeedge-reasons.ts';

export type ValueCheck =
  | { readonly kind: 'ok'; readonly text: string }
  /** `known`: what KubeEdge says of the same. */
  | { readonly kind: 'refused'; readonly reason: string; readonly known?: string };

const INTEGER = /^[+-]?\d+$/;
/** Digits of any 64-bit integer, and some leading zeros: longer ones are not even counted. */
const MOST_DIGITS = 64;
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
  json: 'JSON',
  object: 'JSON',
  array: 'JSON',
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

type Limited = Pick<PropertyDefinition, 'type' | 'minimum' | 'maximum'>;
type Limits = Pick<PropertyDefinition, 'minimum' | 'maximum'>;

/** Checks a raw JSON value against the property's type and limits. Pure; the reason is a sentence without the property's name. */
export function checkValue(raw: unknown, property: Limited): ValueCheck {
  if (raw === null || raw === undefined) return refused('has a null value; leave the property out, or give it a value');
  return CHECKS[property.type](raw, property);
}

const checkText = (raw: unknown): ValueCheck => (typeof raw === 'string' ? ok(raw) : checkedJson(raw));

const CHECKS: Readonly<Record<PropertyType, (raw: unknown, limits: Limits) => ValueCheck>> = {
  INT: checkInteger,
  FLOAT: checkFloat,
  DOUBLE: checkFloat,
  BOOLEAN: checkBoolean,
  STRING: checkText,
  BYTES: checkText,
  STREAM: checkText,
  JSON: checkJson,
};

/** What a refused value means for the property, for whoever sent it. */
export function valueRefusal(property: string, { reason, known }: Extract<ValueCheck, { kind: 'refused' }>): string {
  const sentence = `property "${property}" ${reason}`;
  return known === undefined ? sentence : saidAsKubeEdge(known, sentence);
}

const ROUNDED = 'is larger than the integers that JSON numbers carry exactly; send its digits as a string';
const HOLDS_ROUNDED =
  'holds an integer larger than those that JSON numbers carry exactly; send the digits of that one as a string';

/** Of values that are to be scalars: an object or array is none, whatever is in it. */
function textOf(raw: unknown): string {
  if (typeof raw === 'string') return raw;
  if (typeof raw === 'number' || typeof raw === 'boolean') return String(raw);
  return Array.isArray(raw) ? '[…]' : '{…}';
}

function checkBoolean(raw: unknown): ValueCheck {
  const text = textOf(raw);
  return text === 'true' || text === 'false'
    ? ok(text)
    : refused(`must be true or false, not ${quote(text)}`, KUBEEDGE_REASONS.notBoolean);
}

function checkInteger(raw: unknown, limits: Limits): ValueCheck {
  if (Number.isInteger(raw) && !Number.isSafeInteger(raw)) return refused(ROUNDED);
  const text = textOf(raw);
  if (!INTEGER.test(text)) return refused(`must be an integer, not ${quote(text)}`, KUBEEDGE_REASONS.notInteger);
  const value = text.length > MOST_DIGITS ? INT64_MAX + 1n : integerOf(text);
  if (value < INT64_MIN || value > INT64_MAX)
    return refused(`must fit 64 bits, not ${quote(text)}`, KUBEEDGE_REASONS.notInteger);
  return withinLimits(value, text, limits);
}

function checkFloat(raw: unknown, limits: Limits): ValueCheck {
  const text = textOf(raw);
  const value = isLost(raw) ? undefined : parseGoFloat(text);
  if (value === undefined)
    return refused(`must be a number that fits 64 bits, not ${quote(text)}`, KUBEEDGE_REASONS.notFloat);
  return withinLimits(value, text, limits);
}

/** As JSON, or as its text. Written anew either way, so that equal values are equal text. */
function checkJson(raw: unknown): ValueCheck {
  const value = typeof raw === 'string' ? parsed(raw) : raw;
  return typeof value === 'object' && value !== null
    ? checkedJson(value)
    : refused(`must be a JSON object or array, not ${quote(textOf(raw))}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function checkedJson(raw: unknown): ValueCheck {
  if (holdsRounded(raw)) return refused(typeof raw === 'object' ? HOLDS_ROUNDED : ROUNDED);
  try {
    return ok(JSON.stringify(raw));
  } catch (error) {
    // `JSON.parse` bears any depth, `JSON.stringify` only that of the stack.
    if (error instanceof RangeError) return refused('is nested too deeply');
    throw error;
  }
}

/** A number too large for JavaScript, which nobody sent as an infinite one: JSON has none. */
const isLost = (raw: unknown): boolean => typeof raw === 'number' && !Number.isFinite(raw);

/** Whether digits would be written that were perhaps never sent. Larger numbers are written with an exponent. */
function holdsRounded(raw: unknown): boolean {
  const left: unknown[] = [raw];
  while (left.length > 0) {
    const value = left.pop();
    if (isLost(value)) return true;
    if (Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value as number) < 1e21) return true;
    // One by one: a call takes only so many arguments.
    if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) left.push(item);
  }
  return false;
}

/** `BigInt` takes no plus sign. */
const integerOf = (text: string): bigint => BigInt(text.startsWith('+') ? text.slice(1) : text);

/** Exact for integers: one that is compared as a floating number is equal to its neighbours beyond 2^53. What is no number is no limit. */
function limitOf(text: string | undefined): bigint | number | undefined {
  if (text === undefined) return undefined;
  return text.length <= MOST_DIGITS && INTEGER.test(text) ? integerOf(text) : parseGoFloat(text);
}

/** `NaN` is within no limits. */
function withinLimits(value: bigint | number, text: string, { minimum, maximum }: Limits): ValueCheck {
  const [least, most] = [limitOf(minimum), limitOf(maximum)];
  if (least !== undefined && !(value >= least))
    return refused(`must be at least ${minimum ?? ''}, not ${shortened(text)}`);
  if (most !== undefined && !(value <= most))
    return refused(`must be at most ${maximum ?? ''}, not ${shortened(text)}`);
  return ok(text);
}

const ok = (text: string): ValueCheck => ({ kind: 'ok', text });
const refused = (reason: string, known?: string): ValueCheck => ({
  kind: 'refused',
  reason,
  ...(known === undefined ? {} : { known }),
});
const shortened = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text);
const quote = (text: string): string => JSON.stringify(shortened(text));
