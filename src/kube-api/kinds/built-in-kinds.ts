// The kinds that exist without a CRD.
import { seconds } from '../../kit/units.ts';
import { resourceSchema } from '../schema/object-meta-schema.ts';
import type { Schema } from '../schema/schema.ts';
import { collectionOf } from '../storage/store-keys.ts';
import { builtInColumns, defaultColumns } from '../tables/built-in-columns.ts';
import { builtInSchemas } from './built-in-schemas.ts';
import { crdSchema } from './crd-schema.ts';
import type { ResourceKind } from './resource-kind.ts';

const OBJECT_FIELDS = ['metadata.name', 'metadata.namespace'];
const EVENT_FIELDS = [
  ...['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map(
    (f) => `involvedObject.${f}`,
  ),
  'reason',
  'reportingComponent',
  'source',
  'type',
];
const POD_FIELDS = [
  'spec.nodeName',
  'spec.restartPolicy',
  'spec.serviceAccountName',
  'spec.hostNetwork',
  'status.phase',
  'status.podIP',
];

interface Traits extends Partial<Omit<ResourceKind, 'selectableFields'>> {
  readonly kind: string;
  readonly plural: string;
  readonly published: Schema;
  readonly fields?: readonly string[];
}

export const namespaceKind = builtIn({
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  isNamespaced: false,
  hasStatus: true,
  nameForm: 'label',
  published: builtInSchemas.namespace,
  fields: ['status.phase'],
});

export const crdKind = builtIn({
  group: 'apiextensions.k8s.io',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  isNamespaced: false,
  hasStatus: true,
  hasGeneration: true,
  published: crdSchema,
});

export const eventKind = builtIn({
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  published: builtInSchemas.event,
  fields: EVENT_FIELDS,
  timeToLive: seconds(3600),
});

export const podKind = builtIn({
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  hasStatus: true,
  published: builtInSchemas.pod,
  fields: POD_FIELDS,
});

export const secretKind = builtIn({
  kind: 'Secret',
  plural: 'secrets',
  published: builtInSchemas.secret,
  fields: ['type'],
});

export const builtInKinds: readonly ResourceKind[] = [
  namespaceKind,
  builtIn({
    kind: 'Node',
    plural: 'nodes',
    shortNames: ['no'],
    isNamespaced: false,
    hasStatus: true,
    published: builtInSchemas.node,
    fields: ['spec.unschedulable'],
  }),
  podKind,
  builtIn({ kind: 'ConfigMap', plural: 'configmaps', shortNames: ['cm'], published: builtInSchemas.configMap }),
  secretKind,
  builtIn({
    kind: 'ServiceAccount',
    plural: 'serviceaccounts',
    shortNames: ['sa'],
    published: builtInSchemas.serviceAccount,
  }),
  builtIn({
    kind: 'Service',
    plural: 'services',
    shortNames: ['svc'],
    categories: ['all'],
    hasStatus: true,
    nameForm: 'label',
    published: builtInSchemas.service,
  }),
  eventKind,
  builtIn({ group: 'coordination.k8s.io', kind: 'Lease', plural: 'leases', published: builtInSchemas.lease }),
  crdKind,
];

function builtIn({ fields = [], ...traits }: Traits): ResourceKind {
  const group = traits.group ?? '';
  return {
    group,
    version: 'v1',
    listKind: `${traits.kind}List`,
    singular: traits.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    isNamespaced: true,
    isCustom: false,
    collection: collectionOf(group, traits.plural),
    storageVersion: 'v1',
    schema: resourceSchema(traits.published),
    isEnding: false,
    hasStatus: false,
    hasGeneration: false,
    allowsBlindUpdate: true,
    nameForm: 'subdomain',
    columns: builtInColumns[traits.plural] ?? defaultColumns,
    selectableFields: [...OBJECT_FIELDS, ...fields],
    ...traits,
  };
}
