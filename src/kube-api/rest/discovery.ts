// What this server serves, in the plain and in the aggregated form.
import type { Json, JsonObject } from '../json.ts';
import { STATUS_VERBS, VERBS, apiVersionOf, type ResourceKind } from '../kinds/resource-kind.ts';

type Kinds = readonly ResourceKind[];

export function apiVersions(serverAddress: string): JsonObject {
  const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress }];
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs };
}

export function apiGroupList(kinds: Kinds): JsonObject {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groupNames(kinds).map((group) => groupOf(kinds, group)) };
}

export function apiGroup(kinds: Kinds, group: string): JsonObject | undefined {
  if (!groupNames(kinds).includes(group)) return undefined;
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(kinds, group) };
}

export function apiResourceList(kinds: Kinds, group: string, version: string): JsonObject | undefined {
  const found = kinds.filter((kind) => kind.group === group && kind.version === version);
  if (found.length === 0) return undefined;
  const resources = found.flatMap((kind) => [resourceOf(kind), ...(kind.hasStatus ? [statusOf(kind)] : [])]);
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: apiVersionOf({ group, version }), resources };
}

/** `legacy` is what stands under `/api`, the rest under `/apis`. */
export function aggregatedDiscovery(kinds: Kinds, part: 'legacy' | 'groups', version: 'v2' | 'v2beta1'): JsonObject {
  const groups = part === 'legacy' ? [''] : groupNames(kinds);
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map((group) => ({
      metadata: group === '' ? { creationTimestamp: null } : { name: group, creationTimestamp: null },
      versions: versionsOf(kinds, group).map((name) => aggregatedVersion(kinds, group, name)),
    })),
  };
}

function aggregatedVersion(kinds: Kinds, group: string, version: string): Json {
  const resources = kinds.filter((kind) => kind.group === group && kind.version === version).map(aggregatedResource);
  return { version, resources, freshness: 'Current' };
}

function aggregatedResource(kind: ResourceKind): Json {
  const responseKind = { group: kind.group, version: kind.version, kind: kind.kind };
  return {
    resource: kind.plural,
    responseKind,
    scope: kind.isNamespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.singular,
    verbs: VERBS,
    ...namesOf(kind),
    ...(kind.hasStatus ? { subresources: [{ subresource: 'status', responseKind, verbs: STATUS_VERBS }] } : {}),
  };
}

const groupNames = (kinds: Kinds): readonly string[] =>
  [...new Set(kinds.map(({ group }) => group))].filter((group) => group !== '');

function versionsOf(kinds: Kinds, group: string): readonly string[] {
  const versions = new Set(kinds.filter((kind) => kind.group === group).map(({ version }) => version));
  return [...versions].sort((left, right) => rank(right) - rank(left));
}

/** v2 > v1 > v1beta2 > v1beta1 > v1alpha1, as Kubernetes orders versions. */
function rank(version: string): number {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (match === null) return -1;
  const [, major = '0', stage, minor = '0'] = match;
  const stages: Record<string, number> = { alpha: 1, beta: 2 };
  return (stage === undefined ? 3 : (stages[stage] ?? 0)) * 1e6 + Number(major) * 1e3 + Number(minor);
}

function groupOf(kinds: Kinds, group: string): JsonObject {
  const versions = versionsOf(kinds, group).map((version) => ({
    groupVersion: apiVersionOf({ group, version }),
    version,
  }));
  return { name: group, versions, preferredVersion: versions[0] };
}

function resourceOf(kind: ResourceKind): Json {
  return {
    name: kind.plural,
    singularName: kind.singular,
    namespaced: kind.isNamespaced,
    kind: kind.kind,
    verbs: VERBS,
    ...namesOf(kind),
  };
}

function statusOf(kind: ResourceKind): Json {
  return {
    name: `${kind.plural}/status`,
    singularName: '',
    namespaced: kind.isNamespaced,
    kind: kind.kind,
    verbs: STATUS_VERBS,
  };
}

const namesOf = ({ shortNames, categories }: ResourceKind): JsonObject => ({
  ...(shortNames.length === 0 ? {} : { shortNames }),
  ...(categories.length === 0 ? {} : { categories }),
});
