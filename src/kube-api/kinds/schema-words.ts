// Short words to write schemas with. Built-in kinds are open: what is not written down here is kept, not refused.
import type { Schema } from '../schema/schema.ts';

const OPEN = { 'x-kubernetes-preserve-unknown-fields': true } as const;

export const text = (description: string): Schema => ({ type: 'string', description });
export const flag = (description: string): Schema => ({ type: 'boolean', description });
export const time = (description: string): Schema => ({ type: 'string', format: 'date-time', description });
export const number32 = (description: string): Schema => ({ type: 'integer', format: 'int32', description });
export const number64 = (description: string): Schema => ({ type: 'integer', format: 'int64', description });
export const quantity = (description: string): Schema => ({
  description,
  anyOf: [{ type: 'string' }, { type: 'number' }],
});
export const intOrString = (description: string): Schema => ({ 'x-kubernetes-int-or-string': true, description });
export const mapOf = (values: Schema, description: string): Schema => ({
  type: 'object',
  additionalProperties: values,
  description,
});
export const textMap = (description: string): Schema => mapOf({ type: 'string' }, description);
export const quantities = (description: string): Schema =>
  mapOf(quantity('An amount, as 500m, 2 or 1Gi.'), description);

/** An object of which some members are described and all others are kept. */
export const open = (description: string, properties: Readonly<Record<string, Schema>> = {}): Schema => ({
  type: 'object',
  description,
  ...OPEN,
  ...(Object.keys(properties).length === 0 ? {} : { properties }),
});

/** An object of which all members are described: others are unknown fields. */
export const closed = (description: string, properties: Readonly<Record<string, Schema>>): Schema => ({
  type: 'object',
  description,
  properties,
});

export const listOfItems = (items: Schema, description: string): Schema => ({ type: 'array', items, description });

/** A list that a strategic merge patch merges by the value of one member. */
export const mergedBy = (key: string, items: Schema, description: string): Schema => ({
  ...listOfItems(items, description),
  'x-kubernetes-patch-strategy': 'merge',
  'x-kubernetes-patch-merge-key': key,
});

/** A list of plain values that a strategic merge patch adds to. */
export const mergedSet = (items: Schema, description: string): Schema => ({
  ...listOfItems(items, description),
  'x-kubernetes-patch-strategy': 'merge',
});

export const requiring = (schema: Schema, ...required: readonly string[]): Schema => ({ ...schema, required });

export const condition: Schema = open('One aspect of the current state.', {
  type: text('Which aspect.'),
  status: text('True, False or Unknown.'),
  reason: text('One word: why.'),
  message: text('A sentence: why.'),
  lastTransitionTime: time('When the status last changed.'),
});
