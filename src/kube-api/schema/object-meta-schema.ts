// `metadata`, which is the same for every kind, and what a schema looks like once the members that every resource has are in it.
import type { Schema } from './schema.ts';

const text = (description: string): Schema => ({ type: 'string', description });
const time = (description: string): Schema => ({ type: 'string', format: 'date-time', nullable: true, description });
const textMap = (description: string): Schema => ({
  type: 'object',
  additionalProperties: { type: 'string' },
  nullable: true,
  description,
});

const OWNER_REFERENCE: Schema = {
  type: 'object',
  description: 'An object that this one depends on.',
  required: ['apiVersion', 'kind', 'name', 'uid'],
  properties: {
    apiVersion: text('API version of the owner.'),
    kind: text('Kind of the owner.'),
    name: text('Name of the owner.'),
    uid: text('UID of the owner.'),
    controller: { type: 'boolean', description: 'True when the owner is the managing controller.' },
    blockOwnerDeletion: { type: 'boolean', description: 'True when the owner waits for this object to be deleted.' },
  },
};

const MANAGED_FIELDS: Schema = {
  type: 'object',
  description: 'Fields that one writer manages.',
  properties: {
    manager: text('Name of the writer.'),
    operation: text('Apply or Update.'),
    apiVersion: text('Version in which the fields are named.'),
    time: time('When the set of fields last changed.'),
    fieldsType: text('Always FieldsV1.'),
    fieldsV1: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, description: 'The fields, as a tree.' },
    subresource: text('The subresource that was written through.'),
  },
};

export const OBJECT_META: Schema = {
  type: 'object',
  description: 'Data that every object has: its name, labels, versions.',
  properties: {
    name: text('Name, unique for the kind within its namespace. Cannot be changed.'),
    generateName: text('Prefix from which the server makes a unique name when no name is given.'),
    namespace: text('The space within which the name must be unique.'),
    selfLink: text('Not used any more.'),
    uid: text('Unique for all objects of all times. Set by the server.'),
    resourceVersion: text('Changes with every write; send it back to write only what you have seen.'),
    generation: {
      type: 'integer',
      format: 'int64',
      description: 'Counts the changes of the desired state. Set by the server.',
    },
    creationTimestamp: time('When the object was created. Set by the server.'),
    deletionTimestamp: time('When deletion was asked for. Set by the server.'),
    deletionGracePeriodSeconds: { type: 'integer', format: 'int64', description: 'Seconds left to end gracefully.' },
    labels: textMap('Keys and values that selectors look at.'),
    annotations: textMap('Keys and values that tools keep here.'),
    finalizers: {
      type: 'array',
      items: { type: 'string' },
      nullable: true,
      description: 'Who must finish before the object is removed. Everybody removes their own entry.',
      'x-kubernetes-list-type': 'set',
      'x-kubernetes-patch-strategy': 'merge',
    },
    ownerReferences: {
      type: 'array',
      items: OWNER_REFERENCE,
      nullable: true,
      description: 'Objects that this one depends on.',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['uid'],
      'x-kubernetes-patch-merge-key': 'uid',
      'x-kubernetes-patch-strategy': 'merge',
    },
    managedFields: {
      type: 'array',
      items: MANAGED_FIELDS,
      nullable: true,
      description: 'Which writer manages which field.',
    },
  },
};

const RESOURCE_MEMBERS: Readonly<Record<string, Schema>> = {
  apiVersion: text('Version of the schema that this object is written in.'),
  kind: text('The kind of object this is.'),
  metadata: OBJECT_META,
};

/** A schema with `apiVersion`, `kind` and `metadata` filled in, at its root and wherever it embeds resources. */
export function resourceSchema(schema: Schema): Schema {
  const inner = withEmbeddedResources(schema);
  return { ...inner, properties: { ...inner.properties, ...RESOURCE_MEMBERS } };
}

function withEmbeddedResources(schema: Schema): Schema {
  const properties = Object.entries(schema.properties ?? {}).map(([name, member]) => [name, embedded(member)] as const);
  return {
    ...schema,
    ...(schema.properties === undefined ? {} : { properties: Object.fromEntries(properties) }),
    ...(schema.items === undefined ? {} : { items: embedded(schema.items) }),
    ...(typeof schema.additionalProperties === 'object'
      ? { additionalProperties: embedded(schema.additionalProperties) }
      : {}),
  };
}

function embedded(schema: Schema): Schema {
  if (schema['x-kubernetes-embedded-resource'] !== true) return withEmbeddedResources(schema);
  return { ...resourceSchema(schema), required: [...new Set([...(schema.required ?? []), 'apiVersion', 'kind'])] };
}
