// A kind as data: all that verbs, tables, discovery and OpenAPI need to know of it. Built-in kinds are written down in
// `built-in-kinds.ts`; every version of every CRD becomes one in `crd-kind.ts`.
import type { Duration } from '../../kit/units.ts';
import type { NameForm } from '../rules/names.ts';
import type { Schema } from '../schema/schema.ts';
import type { Collection } from '../storage/store-keys.ts';
import type { Column } from '../tables/column.ts';

export interface ResourceKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly isNamespaced: boolean;
  /** True when a CRD defines it: validated and pruned strictly, no strategic merge. */
  readonly isCustom: boolean;
  readonly collection: Collection;
  /** The version that objects are stored in; others differ in `apiVersion` only. */
  readonly storageVersion: string;
  /** The schema as published, and the same with `metadata` and embedded resources filled in, as checked. */
  readonly published: Schema;
  readonly schema: Schema;
  /** True while the CRD of this kind is being deleted. */
  readonly isEnding: boolean;
  readonly hasStatus: boolean;
  /** True when `metadata.generation` counts changes of the desired state. */
  readonly hasGeneration: boolean;
  /** True when PUT may leave `metadata.resourceVersion` out. */
  readonly allowsBlindUpdate: boolean;
  readonly nameForm: NameForm;
  readonly columns: readonly Column[];
  readonly selectableFields: readonly string[];
  readonly timeToLive?: Duration;
}

export const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'] as const;
export const STATUS_VERBS = ['get', 'patch', 'update'] as const;

export function apiVersionOf({ group, version }: Pick<ResourceKind, 'group' | 'version'>): string {
  return group === '' ? version : `${group}/${version}`;
}
