import { isObject, type Json, type JsonObject } from '../../json.ts';
import type { Schema } from '../../schema/schema.ts';

/** How a list is merged: whole, as a set of values, or item by item by the values of its keys. */
export type ListKind =
  { readonly kind: 'whole' } | { readonly kind: 'set' } | { readonly kind: 'keyed'; readonly keys: readonly string[] };

export function listKindOf(schema: Schema): ListKind {
  switch (schema['x-kubernetes-list-type']) {
    case 'map':
      return { kind: 'keyed', keys: schema['x-kubernetes-list-map-keys'] ?? [] };
    case 'set':
      return { kind: 'set' };
    case 'atomic':
      return { kind: 'whole' };
    case undefined:
    default:
      return strategicKind(schema);
  }
}

/** Built-in kinds say it in the words of strategic merge patches. */
function strategicKind(schema: Schema): ListKind {
  if (schema['x-kubernetes-patch-strategy']?.includes('merge') !== true) return { kind: 'whole' };
  const key = schema['x-kubernetes-patch-merge-key'];
  return key === undefined ? { kind: 'set' } : { kind: 'keyed', keys: [key] };
}

/** The path element of an item. */
export function itemElement(list: ListKind & { kind: 'set' | 'keyed' }, item: Json): string {
  if (list.kind === 'set') return `v:${JSON.stringify(item)}`;
  const object: JsonObject = isObject(item) ? item : {};
  const keys = [...list.keys].sort().flatMap((key) => (object[key] === undefined ? [] : [[key, object[key]] as const]));
  return `k:${JSON.stringify(Object.fromEntries(keys))}`;
}

export const isWholeMap = (schema: Schema): boolean => schema['x-kubernetes-map-type'] === 'atomic';
