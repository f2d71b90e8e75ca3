import type { KubeObject } from '../json.ts';
import { apiVersionOf, type ResourceKind } from '../kinds/resource-kind.ts';
import { withDefaults } from '../schema/defaults.ts';

/** A stored object as a client of this version sees it (conversion strategy None), with defaults that the CRD got since. */
export function asServed(kind: ResourceKind, stored: KubeObject): KubeObject {
  const apiVersion = apiVersionOf(kind);
  const object = stored.apiVersion === apiVersion ? stored : { ...stored, apiVersion };
  return kind.isCustom ? withDefaults(kind.schema, object) : object;
}

export function asStored(kind: ResourceKind, object: KubeObject): KubeObject {
  const apiVersion = apiVersionOf({ group: kind.group, version: kind.storageVersion });
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
}
