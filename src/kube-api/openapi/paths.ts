// The paths of one kind. kubectl finds kinds through them, and reads in the parameters of `patch` that the server validates
// fields and understands dry runs.
import type { Json, JsonObject } from '../json.ts';
import { apiVersionOf, type ResourceKind } from '../kinds/resource-kind.ts';

const inQuery = (name: string, type: string, description: string): Json => ({
  name,
  in: 'query',
  description,
  schema: { type, uniqueItems: true },
});

const inPath = (name: string): Json => ({
  name,
  in: 'path',
  required: true,
  schema: { type: 'string', uniqueItems: true },
});

const WRITE_PARAMETERS = [
  inQuery('dryRun', 'string', 'All: answer as usual, store nothing.'),
  inQuery('fieldManager', 'string', 'Who writes.'),
  inQuery('fieldValidation', 'string', 'Ignore, Warn or Strict: what to do about unknown fields.'),
];

const LIST_PARAMETERS = [
  inQuery('labelSelector', 'string', 'Only objects with these labels.'),
  inQuery('fieldSelector', 'string', 'Only objects with these field values.'),
  inQuery('limit', 'integer', 'The most objects of one answer.'),
  inQuery('continue', 'string', 'Where this page starts.'),
  inQuery('watch', 'boolean', 'Stay, and tell every change.'),
  inQuery('resourceVersion', 'string', 'The state to start from.'),
  inQuery('timeoutSeconds', 'integer', 'When to end a watch.'),
  inQuery('allowWatchBookmarks', 'boolean', 'Send the newest version now and then.'),
];

export function pathsOf(kind: ResourceKind, one: Json, many: Json): JsonObject {
  const base = kind.group === '' ? '/api/v1' : `/apis/${apiVersionOf(kind)}`;
  const scope = kind.isNamespaced ? [inPath('namespace')] : [];
  const list = `${base}${kind.isNamespaced ? '/namespaces/{namespace}' : ''}/${kind.plural}`;
  const item = { parameters: [...scope, inPath('name')] };
  return {
    [list]: {
      get: operation(kind, 'list', { answer: many, parameters: LIST_PARAMETERS }),
      post: operation(kind, 'post', {
        answer: one,
        parameters: WRITE_PARAMETERS,
        body: ['application/json', 'application/yaml'],
      }),
      delete: operation(kind, 'deletecollection', { answer: one, parameters: LIST_PARAMETERS }),
      parameters: scope,
    },
    [`${list}/{name}`]: { ...itemOperations(kind, one), ...item },
    ...(kind.hasStatus ? { [`${list}/{name}/status`]: { ...statusOperations(kind, one), ...item } } : {}),
    ...(kind.isNamespaced
      ? { [`${base}/${kind.plural}`]: { get: operation(kind, 'list', { answer: many, parameters: LIST_PARAMETERS }) } }
      : {}),
  };
}

function itemOperations(kind: ResourceKind, one: Json): JsonObject {
  return {
    ...statusOperations(kind, one),
    delete: operation(kind, 'delete', {
      answer: one,
      parameters: [inQuery('dryRun', 'string', 'All: delete nothing.')],
    }),
  };
}

function statusOperations(kind: ResourceKind, one: Json): JsonObject {
  const patches = ['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml'];
  const force = inQuery('force', 'boolean', 'Server-side apply: take fields from other managers.');
  return {
    get: operation(kind, 'get', { answer: one, parameters: [] }),
    put: operation(kind, 'put', {
      answer: one,
      parameters: WRITE_PARAMETERS,
      body: ['application/json', 'application/yaml'],
    }),
    patch: operation(kind, 'patch', { answer: one, parameters: [...WRITE_PARAMETERS, force], body: patches }),
  };
}

interface Shape {
  readonly answer: Json;
  readonly parameters: readonly Json[];
  readonly body?: readonly string[];
}

function operation({ group, version, kind }: ResourceKind, action: string, { answer, parameters, body }: Shape): Json {
  const content = body === undefined ? undefined : Object.fromEntries(body.map((type) => [type, { schema: answer }]));
  return {
    parameters,
    ...(content === undefined ? {} : { requestBody: { content } }),
    responses: { 200: { description: 'OK', content: { 'application/json': { schema: answer } } } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group, version, kind },
  };
}
