// The body of a PATCH, by its content type, as an edit of the object.
import type { Json } from '../json.ts';
import type { ResourceKind } from '../kinds/resource-kind.ts';
import type { Edit } from '../objects/object-writer.ts';
import { jsonPatch } from '../rules/json-patch.ts';
import { mergePatch } from '../rules/merge-patch.ts';
import { strategicMerge } from '../rules/strategic-merge.ts';
import { badRequest, unsupportedMediaType } from '../status.ts';
import { isObject } from '../json.ts';
import { decodeJson, textOfBody, type Body } from './body.ts';

const MERGE = 'application/merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';
export const APPLY_PATCH = 'application/apply-patch+yaml';

export function patchedBy(kind: ResourceKind, body: Body): Edit {
  const { mediaType } = body;
  const accepted = [JSON_PATCH, MERGE, APPLY_PATCH, ...(kind.isCustom ? [] : [STRATEGIC])];
  if (!accepted.includes(mediaType)) {
    throw unsupportedMediaType(
      `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
    );
  }
  const patch = decodeJson(textOfBody(body));
  switch (mediaType) {
    case JSON_PATCH:
      return (current) => jsonPatch(current, patch);
    case STRATEGIC:
      return (current) => strategicMerge(kind.schema, current, objectPatch(patch));
    default:
      return (current) => mergePatch(current, objectPatch(patch));
  }
}

function objectPatch(patch: Json): Json {
  if (isObject(patch)) return patch;
  throw badRequest('the patch must be a JSON object');
}
