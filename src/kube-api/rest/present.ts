// Objects in the form that the client asked for: as they are, as a table, or their metadata only.
import type { JsonObject, KubeObject } from '../json.ts';
import { apiVersionOf } from '../kinds/resource-kind.ts';
import { partialObject, tableOf } from '../tables/table.ts';
import { includeObjectOf, type Call } from './call.ts';

export function presentOne(call: Call, object: KubeObject, now: number): JsonObject {
  switch (call.form) {
    case 'table':
      return presentTable(call, [object], { metadata: { resourceVersion: object.metadata.resourceVersion }, now });
    case 'metadata':
      return partialObject(object);
    case 'json':
      return object;
  }
}

export function presentList(call: Call, objects: readonly KubeObject[], metadata: JsonObject, now: number): JsonObject {
  switch (call.form) {
    case 'table':
      return presentTable(call, objects, { metadata, now });
    case 'metadata':
      return {
        kind: 'PartialObjectMetadataList',
        apiVersion: 'meta.k8s.io/v1',
        metadata,
        items: objects.map(partialObject),
      };
    case 'json':
      return { kind: call.kind.listKind, apiVersion: apiVersionOf(call.kind), metadata, items: objects };
  }
}

function presentTable(
  call: Call,
  objects: readonly KubeObject[],
  { metadata, now }: { metadata: JsonObject; now: number },
): JsonObject {
  return tableOf(call.kind.columns, objects, metadata, {
    includeObject: includeObjectOf(call),
    now,
    withHeadings: true,
  });
}
