import { isObject, objectOf, textOf, withMember, type Json, type JsonObject } from '../json.ts';
import { apiVersionOf } from '../kinds/resource-kind.ts';
import { withoutNulls } from '../rules/object-meta.ts';
import { prune } from '../schema/prune.ts';
import { badRequest } from '../status.ts';
import type { Place } from './place.ts';
import type { WriteOptions } from './write-options.ts';

/** What a manager states in a server-side apply: known fields only, of the part of the object that the request addresses. */
export function appliedConfig(place: Place, options: WriteOptions, sent: Json): JsonObject {
  const { kind } = place;
  const stated = statedObject(place, sent);
  const known = options.fieldValidation === 'Strict' ? stated : prune(kind.schema, stated as Json).value;
  const config = objectOf(kind.isCustom ? known : withoutNulls(known));
  if (options.subresource === 'status') return onlyStatus(config);
  return kind.hasStatus ? withMember(config, 'status', undefined) : config;
}

function statedObject({ kind, namespace, name }: Place, sent: Json): JsonObject {
  if (!isObject(sent)) throw badRequest('an apply must state an object');
  const apiVersion = apiVersionOf(kind);
  if (sent['apiVersion'] !== apiVersion || sent['kind'] !== kind.kind) {
    throw badRequest(`an apply must state apiVersion ${apiVersion} and kind ${kind.kind}`);
  }
  const metadata = objectOf(sent['metadata']);
  if (metadata['managedFields'] !== undefined) throw badRequest('metadata.managedFields must be nil');
  const stated = textOf(metadata['name']) || name;
  if (stated !== name) {
    throw badRequest(`the name of the object (${stated}) does not match the name on the URL (${name})`);
  }
  return { ...sent, metadata: { ...metadata, name, ...(kind.isNamespaced ? { namespace } : {}) } };
}

const STATUS_PARTS = ['apiVersion', 'kind', 'metadata', 'status'];

const onlyStatus = (config: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(config).filter(([name]) => STATUS_PARTS.includes(name)));
