import { objectOf, textOf, valueAt, type JsonObject, type KubeObject } from '../json.ts';
import type { Selectable } from '../storage/store-event.ts';
import { matchesFields, parseFieldSelector, type FieldRequirement } from './field-selector.ts';
import { matchesLabels, parseLabelSelector, type LabelRequirement } from './label-selector.ts';

export interface Selector {
  readonly labels: readonly LabelRequirement[];
  readonly fields: readonly FieldRequirement[];
}

/** What a kind lets clients select by: dotted paths. */
export interface SelectableKind {
  readonly selectableFields: readonly string[];
}

export function parseSelector(kind: SelectableKind, labelSelector: string, fieldSelector: string): Selector {
  return {
    labels: parseLabelSelector(labelSelector),
    fields: parseFieldSelector(fieldSelector, kind.selectableFields),
  };
}

export function selectableOf(kind: SelectableKind, object: KubeObject): Selectable {
  const fields = kind.selectableFields.map((path) => [path, fieldText(object, path)]);
  return {
    labels: objectOf(object.metadata.labels) as Record<string, string>,
    fields: Object.fromEntries(fields) as Record<string, string>,
  };
}

export function isSelected(selector: Selector, { labels, fields }: Selectable): boolean {
  return matchesLabels(selector.labels, labels) && matchesFields(selector.fields, fields);
}

export const selectsAll = (selector: Selector): boolean => selector.labels.length + selector.fields.length === 0;

function fieldText(object: JsonObject, path: string): string {
  const value = valueAt(object, path.split('.'));
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : textOf(value);
}
