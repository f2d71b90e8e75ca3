// What a client wrote → the text a twin stores. Values live as text everywhere, as in KubeEdge: scalars in their shortest usual
// form, objects and arrays as JSON. Nothing is rounded on the way: a 64-bit integer stays the digits that were sent.
import type { PropertyDefinition, PropertyType } from './device.ts';

export type ValueCheck =
  { readonly kind: 'ok'; readonly text: string } | { readonly kind: 'refused'; readonly reason: string };

const INTEGER = /^[+-]?\d+$/;
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
  return TYPE_NAMES[name.toLowerCase()];
}

/** Checks a raw JSON value against the property's type and limits. Pure; the reason is a sentence without the property's name. */
export function checkValue(
  raw: unknown,
  property: Pick<PropertyDefinition, 'type' | 'minimum' | 'maximum'>,
): ValueCheck {
  const text = textOf(raw);
  if (text === undefined) return refused('has a null value; leave the property out, or give it a value');
  switch (property.type) {
    case 'INT':
      return checkInteger(text, property);
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

function textOf(raw: unknown): string | undefined {
  if (raw === null || raw === undefined) return undefined;
  return typeof raw === 'string' ? raw : JSON.stringify(raw);
}

function checkBoolean(text: string): ValueCheck {
  return text === 'true' || text === 'false' ? ok(text) : refused(`must be true or false, not ${quote(text)}`);
}

function checkInteger(text: string, limits: Pick<PropertyDefinition, 'minimum' | 'maximum'>): ValueCheck {
  if (!INTEGER.test(text)) return refused(`must be an integer, not ${quote(text)}`);
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
  if (value < INT64_MIN || value > INT64_MAX) return refused(`must fit 64 bits, not ${quote(text)}`);
  return withinLimits(Number(value), text, limits);
}

function checkDecimal(text: string, limits: Pick<PropertyDefinition, 'minimum' | 'maximum'>): ValueCheck {
  if (!DECIMAL.test(text) || !Number.isFinite(Number(text)))
    return refused(`must be a finite decimal number, not ${quote(text)}`);
  return withinLimits(Number(text), text, limits);
}

function withinLimits(
  value: number,
  text: string,
  limits: Pick<PropertyDefinition, 'minimum' | 'maximum'>,
): ValueCheck {
  if (limits.minimum !== undefined && limits.minimum !== '' && value < Number(limits.minimum)) {
    return refused(`must be at least ${limits.minimum}, not ${text}`);
  }
  if (limits.maximum !== undefined && limits.maximum !== '' && value > Number(limits.maximum)) {
    return refused(`must be at most ${limits.maximum}, not ${text}`);
  }
  return ok(text);
}

const ok = (text: string): ValueCheck => ({ kind: 'ok', text });
const refused = (reason: string): ValueCheck => ({ kind: 'refused', reason });
const quote = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
