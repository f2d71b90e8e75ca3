// OpenAPI v3, one document per group version, made from the kinds: for `kubectl explain`, `apply` and typed clients.
import { createHash } from 'node:crypto';
import type { Json, JsonObject } from '../json.ts';
import { apiVersionOf, type ResourceKind } from '../kinds/resource-kind.ts';
import { OBJECT_META } from '../schema/object-meta-schema.ts';
import type { Schema } from '../schema/schema.ts';
import { pathsOf } from './paths.ts';

const META_NAME = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
const LIST_META_NAME = 'io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta';
const LIST_META: Schema = {
  type: 'object',
  description: 'Data of a list.',
  properties: {
    resourceVersion: { type: 'string', description: 'The state that the list shows.' },
    continue: { type: 'string', description: 'Where the next page starts.' },
    remainingItemCount: { type: 'integer', description: 'How many objects follow.' },
  },
};

const refTo = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

/** `api/v1`, `apis/coordination.k8s.io/v1` … */
export const documentName = ({ group, version }: Pick<ResourceKind, 'group' | 'version'>): string =>
  group === '' ? `api/${version}` : `apis/${group}/${version}`;

export function openApiDocument(kinds: readonly ResourceKind[], name: string): JsonObject | undefined {
  const own = kinds.filter((kind) => documentName(kind) === name);
  if (own.length === 0) return undefined;
  const schemas = own.flatMap((kind) => [
    [schemaName(kind), objectSchema(kind)],
    [`${schemaName(kind)}List`, listSchema(kind)],
  ]);
  const shared = [
    [META_NAME, OBJECT_META],
    [LIST_META_NAME, LIST_META],
  ];
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.32' },
    paths: Object.assign(
      {},
      ...own.map((kind) => pathsOf(kind, refTo(schemaName(kind)), refTo(`${schemaName(kind)}List`))),
    ) as JsonObject,
    components: { schemas: Object.fromEntries([...schemas, ...shared]) as JsonObject },
  };
}

/** The index names each document with a hash of what it says, so that clients may keep it. */
export function openApiIndex(kinds: readonly ResourceKind[]): JsonObject {
  const names = [...new Set(kinds.map(documentName))];
  const entries = names.map((name) => {
    const text = JSON.stringify(openApiDocument(kinds, name) ?? {});
    const hash = createHash('sha256').update(text).digest('hex').toUpperCase();
    return [name, { serverRelativeURL: `/openapi/v3/${name}?hash=${hash}` }];
  });
  return { paths: Object.fromEntries(entries) as JsonObject };
}

function schemaName({ group, version, kind }: ResourceKind): string {
  const domain = group === '' ? 'io.k8s.api.core' : group.split('.').reverse().join('.');
  return `${domain}.${version}.${kind}`;
}

export const gvkOf = ({ group, version, kind }: ResourceKind): JsonObject => ({ group, version, kind });

function objectSchema(kind: ResourceKind): Json {
  const { properties, ...rest } = kind.published;
  return {
    ...rest,
    properties: {
      ...properties,
      apiVersion: { type: 'string', description: `API version: ${apiVersionOf(kind)}.` },
      kind: { type: 'string', description: `Kind: ${kind.kind}.` },
      metadata: { description: 'Name, labels, versions.', default: {}, allOf: [refTo(META_NAME)] },
    },
    'x-kubernetes-group-version-kind': [gvkOf(kind)],
  } as unknown as Json;
}

function listSchema(kind: ResourceKind): Json {
  return {
    type: 'object',
    description: `A list of ${kind.kind}.`,
    required: ['items'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { allOf: [refTo(LIST_META_NAME)] },
      items: { type: 'array', items: { allOf: [refTo(schemaName(kind))] } },
    },
    'x-kubernetes-group-version-kind': [{ ...gvkOf(kind), kind: kind.listKind }],
  };
}
