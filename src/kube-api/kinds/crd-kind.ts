import { listOf, objectOf, textOf, type JsonObject, type KubeObject } from '../json.ts';
import { resourceSchema } from '../schema/object-meta-schema.ts';
import type { Schema } from '../schema/schema.ts';
import { collectionOf } from '../storage/store-keys.ts';
import { crdColumns } from '../tables/crd-columns.ts';
import { crdGroup, crdNames, crdVersions, specOf, storageVersionOf } from './crd.ts';
import type { ResourceKind } from './resource-kind.ts';

/** The kinds that a definition makes: one for each served version. */
export function kindsOfCrd(crd: KubeObject): readonly ResourceKind[] {
  return crdVersions(crd)
    .filter((version) => version['served'] === true)
    .map((version) => kindOfVersion(crd, version));
}

function kindOfVersion(crd: KubeObject, version: JsonObject): ResourceKind {
  const published = objectOf(objectOf(version['schema'])['openAPIV3Schema']) as Schema;
  const names = crdNames(crd);
  const group = crdGroup(crd);
  const hasStatus = objectOf(version['subresources'])['status'] !== undefined;
  return {
    ...names,
    group,
    version: textOf(version['name']),
    isNamespaced: specOf(crd)['scope'] !== 'Cluster',
    isCustom: true,
    collection: collectionOf(group, names.plural),
    storageVersion: storageVersionOf(crd),
    published,
    schema: resourceSchema(published),
    isEnding: crd.metadata.deletionTimestamp !== undefined,
    hasStatus,
    hasGeneration: true,
    allowsBlindUpdate: false,
    nameForm: 'subdomain',
    columns: crdColumns(version),
    selectableFields: ['metadata.name', 'metadata.namespace', ...selectableFields(version)],
  };
}

const selectableFields = (version: JsonObject): readonly string[] =>
  listOf(version['selectableFields']).map((each) => textOf(objectOf(each)['jsonPath']).replace(/^\./, ''));
