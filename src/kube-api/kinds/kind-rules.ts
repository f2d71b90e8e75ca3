// The few rules that belong to one built-in kind only.
import { objectOf, sameJson, textOf, withMember, type JsonObject, type KubeObject } from '../json.ts';
import { forbiddenValue } from '../schema/causes.ts';
import type { StatusCause } from '../status.ts';
import { withCrdAccepted, withCrdDefaults } from './crd.ts';
import { crdCauses, crdWarnings } from './crd-validation.ts';
import type { ResourceKind } from './resource-kind.ts';

interface KindRule {
  /** Fills in what the server adds to an object of this kind, on every write. */
  readonly complete?: (object: KubeObject, now: string) => KubeObject;
  /** What the writer should know though the object is accepted. */
  readonly warnings?: (object: KubeObject) => readonly string[];
  readonly causes?: (object: KubeObject, old: KubeObject | undefined) => readonly StatusCause[];
}

const RULES: Readonly<Record<string, KindRule>> = {
  'core/namespaces': { complete: completeNamespace },
  'core/pods': { complete: completePod },
  'core/secrets': { complete: completeSecret, causes: immutableCauses },
  'core/configmaps': { causes: immutableCauses },
  'apiextensions.k8s.io/customresourcedefinitions': {
    complete: (crd, now) => withCrdAccepted(withCrdDefaults(crd), now),
    causes: crdCauses,
    warnings: crdWarnings,
  },
};

export function completed(kind: ResourceKind, object: KubeObject, now: string): KubeObject {
  return RULES[kind.collection]?.complete?.(object, now) ?? object;
}

export function kindWarnings(kind: ResourceKind, object: KubeObject): readonly string[] {
  return RULES[kind.collection]?.warnings?.(object) ?? [];
}

export function kindCauses(
  kind: ResourceKind,
  object: KubeObject,
  old: KubeObject | undefined,
): readonly StatusCause[] {
  return RULES[kind.collection]?.causes?.(object, old) ?? [];
}

function completeNamespace(namespace: KubeObject): KubeObject {
  const { metadata } = namespace;
  const labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name };
  const spec = { finalizers: ['kubernetes'], ...objectOf(namespace['spec']) };
  const phase = metadata.deletionTimestamp === undefined ? 'Active' : 'Terminating';
  return { ...namespace, metadata: { ...metadata, labels }, spec, status: { ...objectOf(namespace['status']), phase } };
}

function completePod(pod: KubeObject): KubeObject {
  const status = objectOf(pod['status']);
  const spec = { restartPolicy: 'Always', terminationGracePeriodSeconds: 30, ...objectOf(pod['spec']) };
  return { ...pod, spec, status: { ...status, phase: textOf(status['phase']) || 'Pending' } };
}

/** `stringData` is only a way to write: it is stored in `data`, in base64. */
function completeSecret(secret: KubeObject): KubeObject {
  const encoded = Object.entries(objectOf(secret['stringData'])).map(([key, value]) => [
    key,
    Buffer.from(textOf(value)).toString('base64'),
  ]);
  const data: JsonObject = { ...objectOf(secret['data']), ...(Object.fromEntries(encoded) as JsonObject) };
  const rest = withMember(secret, 'stringData', undefined);
  const type = textOf(secret['type']) || 'Opaque';
  return { ...rest, ...(Object.keys(data).length === 0 ? {} : { data }), type };
}

function immutableCauses(object: KubeObject, old: KubeObject | undefined): readonly StatusCause[] {
  if (old?.['immutable'] !== true) return [];
  const changed = ['data', 'binaryData', 'immutable'].filter((name) => !sameJson(object[name], old[name]));
  return changed.map((name) => forbiddenValue(name, 'field is immutable when `immutable` is set'));
}
