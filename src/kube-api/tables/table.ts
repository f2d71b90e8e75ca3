import type { Json, JsonObject, KubeObject } from '../json.ts';
import type { Column } from './column.ts';

/** What a row carries of its object besides the cells. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

export interface TableOptions {
  readonly includeObject: IncludeObject;
  readonly now: number;
  /** False on watch events after the first. */
  readonly withHeadings: boolean;
}

export function tableOf(
  columns: readonly Column[],
  objects: readonly KubeObject[],
  metadata: JsonObject,
  options: TableOptions,
): JsonObject {
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: options.withHeadings ? columns.map(heading) : [],
    rows: objects.map((object) => ({
      cells: columns.map(({ cell }) => cell(object, options.now)),
      ...rowObject(object, options.includeObject),
    })),
  };
}

const heading = ({ name, type, format, description, priority }: Column): Json => ({
  name,
  type,
  format,
  description,
  priority,
});

function rowObject(object: KubeObject, include: IncludeObject): JsonObject {
  if (include === 'None') return {};
  return { object: include === 'Object' ? object : partialObject(object) };
}

export function partialObject({ metadata }: KubeObject): JsonObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
}
