// The parts of a CustomResourceDefinition object, read leniently: validation has its own file.
import { listOf, objectOf, textOf, valueAt, type JsonObject, type KubeObject } from '../json.ts';

export interface CrdNames {
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly listKind: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
}

export const specOf = (object: KubeObject): JsonObject => objectOf(object['spec']);
export const crdGroup = (crd: KubeObject): string => textOf(specOf(crd)['group']);
export const crdVersions = (crd: KubeObject): readonly JsonObject[] => listOf(specOf(crd)['versions']).map(objectOf);

export function crdNames(crd: KubeObject): CrdNames {
  const names = objectOf(specOf(crd)['names']);
  const kind = textOf(names['kind']);
  return {
    plural: textOf(names['plural']),
    singular: textOf(names['singular']) || kind.toLowerCase(),
    kind,
    listKind: textOf(names['listKind']) || `${kind}List`,
    shortNames: listOf(names['shortNames']).map(textOf),
    categories: listOf(names['categories']).map(textOf),
  };
}

export function storageVersionOf(crd: KubeObject): string {
  return textOf(crdVersions(crd).find((version) => version['storage'] === true)?.['name']);
}

/** A definition with the names that Kubernetes fills in. */
export function withCrdDefaults(crd: KubeObject): KubeObject {
  const spec = specOf(crd);
  const { singular, listKind } = crdNames(crd);
  const names = { ...objectOf(spec['names']), singular, listKind };
  return { ...crd, spec: { ...spec, names, conversion: spec['conversion'] ?? { strategy: 'None' } } };
}

/** The same definition as accepted: this server serves a kind from the moment its definition is stored. */
export function withCrdAccepted(crd: KubeObject, now: string): KubeObject {
  const status = objectOf(crd['status']);
  const stored = [...new Set([...listOf(status['storedVersions']), storageVersionOf(crd)])];
  const conditions = [
    condition(crd, { type: 'NamesAccepted', reason: 'NoConflicts', message: 'no conflicts found', now }),
    condition(crd, {
      type: 'Established',
      reason: 'InitialNamesAccepted',
      message: 'the initial names have been accepted',
      now,
    }),
  ];
  const others = listOf(status['conditions']).filter(
    (each) => !conditions.some(({ type }) => type === objectOf(each)['type']),
  );
  const acceptedNames = objectOf(specOf(crd)['names']);
  return {
    ...crd,
    status: { ...status, acceptedNames, storedVersions: stored, conditions: [...others, ...conditions] },
  };
}

function condition(
  crd: KubeObject,
  { type, now, ...why }: { type: string; now: string; reason: string; message: string },
) {
  const old = listOf(valueAt(crd, ['status', 'conditions']))
    .map(objectOf)
    .find((each) => each['type'] === type);
  const lastTransitionTime = textOf(old?.['lastTransitionTime']) || now;
  return { lastTransitionTime, ...why, status: 'True', type };
}
