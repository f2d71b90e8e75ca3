// From what a client sent to an object of its kind: identity checked, unknown fields pruned, defaults filled in.
import { isObject, textOf, type Json, type JsonObject, type KubeObject } from '../json.ts';
import { apiVersionOf, type ResourceKind } from '../kinds/resource-kind.ts';
import { withDefaults } from '../schema/defaults.ts';
import { prune } from '../schema/prune.ts';
import { badRequest } from '../status.ts';
import { withoutNulls } from './object-meta.ts';

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

export interface Shaped {
  readonly object: KubeObject;
  readonly warnings: readonly string[];
}

export function shape(kind: ResourceKind, sent: Json, fieldValidation: FieldValidation): Shaped {
  const identified = withIdentity(kind, sent);
  const { value, unknown } = prune(kind.schema, withoutIdleNulls(kind, identified) as KubeObject);
  const complaints = unknown.map((path) => `unknown field ${JSON.stringify(path)}`);
  if (fieldValidation === 'Strict' && complaints.length > 0) {
    const what = `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}`;
    throw badRequest(`${what}: strict decoding error: ${complaints.join(', ')}`);
  }
  return { object: withDefaults(kind.schema, value), warnings: fieldValidation === 'Warn' ? complaints : [] };
}

/** `apiVersion` and `kind` may be left out; they must not contradict the address of the request. */
function withIdentity(kind: ResourceKind, sent: Json): JsonObject {
  if (!isObject(sent)) throw badRequest('the body of the request must be a JSON object');
  const apiVersion = apiVersionOf(kind);
  checkSame('API version', sent['apiVersion'], apiVersion);
  checkSame('kind', sent['kind'], kind.kind);
  const metadata = sent['metadata'] ?? {};
  if (!isObject(metadata)) throw badRequest('metadata must be an object');
  return { ...sent, apiVersion, kind: kind.kind, metadata };
}

function checkSame(what: string, sent: Json | undefined, expected: string): void {
  if (sent === undefined || sent === '' || sent === expected) return;
  throw badRequest(`the ${what} in the data (${textOf(sent)}) does not match the expected ${what} (${expected})`);
}

const withoutIdleNulls = (kind: ResourceKind, object: JsonObject): Json =>
  kind.isCustom ? { ...object, metadata: withoutNulls(object['metadata'] ?? {}) } : withoutNulls(object);
