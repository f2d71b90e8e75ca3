import type { ResourceKind } from '../kinds/resource-kind.ts';
import type { Address } from '../storage/store-keys.ts';

/** Where an object is, in terms of its kind. */
export interface Place {
  readonly kind: ResourceKind;
  /** Empty for kinds outside namespaces. */
  readonly namespace: string;
  readonly name: string;
}

export const addressOf = ({ kind, namespace, name }: Place): Address => ({
  collection: kind.collection,
  namespace,
  name,
});
