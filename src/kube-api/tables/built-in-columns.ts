// What `kubectl get` shows of built-in kinds, as its users know it.
import { listOf, objectOf, textOf, valueAt, isObject, type Json, type JsonObject, type KubeObject } from '../json.ts';
import { ageOf } from './age.ts';
import { column, type Column } from './column.ts';
import { podColumns } from './pod-columns.ts';

const NONE = '<none>';
const UNKNOWN = '<unknown>';
const wide = { priority: 1 };

export const nameColumn = column('Name', ({ metadata }) => metadata.name, { format: 'name' });
export const ageColumn = column('Age', ({ metadata }, now) => ageOf(metadata.creationTimestamp, now));

const at = (object: KubeObject, path: string): Json | undefined => valueAt(object, path.split('.'));
const textAt = (path: string, missing: string) => (object: KubeObject) => textOf(at(object, path)) || missing;
const countAt =
  (path: string) =>
  (object: KubeObject): number =>
    Object.keys(objectOf(at(object, path))).length;

export const builtInColumns: Readonly<Record<string, readonly Column[]>> = {
  namespaces: [nameColumn, column('Status', textAt('status.phase', 'Active')), ageColumn],
  nodes: [
    nameColumn,
    column('Status', nodeStatus),
    column('Roles', nodeRoles),
    ageColumn,
    column('Version', textAt('status.nodeInfo.kubeletVersion', '')),
    column('Internal-IP', nodeAddress('InternalIP'), wide),
    column('External-IP', nodeAddress('ExternalIP'), wide),
    column('OS-Image', textAt('status.nodeInfo.osImage', UNKNOWN), wide),
    column('Kernel-Version', textAt('status.nodeInfo.kernelVersion', UNKNOWN), wide),
    column('Container-Runtime', textAt('status.nodeInfo.containerRuntimeVersion', UNKNOWN), wide),
  ],
  pods: podColumns(nameColumn, ageColumn),
  configmaps: [
    nameColumn,
    column('Data', (object) => countAt('data')(object) + countAt('binaryData')(object), {
      type: 'integer',
    }),
    ageColumn,
  ],
  secrets: [
    nameColumn,
    column('Type', textAt('type', 'Opaque')),
    column('Data', countAt('data'), { type: 'integer' }),
    ageColumn,
  ],
  serviceaccounts: [
    nameColumn,
    column('Secrets', (object) => listOf(object['secrets']).length, { type: 'integer' }),
    ageColumn,
  ],
  services: [
    nameColumn,
    column('Type', textAt('spec.type', 'ClusterIP')),
    column('Cluster-IP', textAt('spec.clusterIP', NONE)),
    column('External-IP', (object) => listOf(at(object, 'spec.externalIPs')).map(textOf).join(',') || NONE),
    column('Port(s)', servicePorts),
    ageColumn,
    column('Selector', (object) => labelText(objectOf(at(object, 'spec.selector'))), wide),
  ],
  events: [
    column('Last Seen', (object, now) => ageOf(eventTime(object), now)),
    column('Type', textAt('type', '')),
    column('Reason', textAt('reason', '')),
    column('Object', involvedObject),
    column('Subobject', textAt('involvedObject.fieldPath', ''), wide),
    column('Source', eventSource, wide),
    column('Message', (object) => textOf(object['message']).trim()),
    column('First Seen', (object, now) => ageOf(object['firstTimestamp'] ?? eventTime(object), now), wide),
    column('Count', (object) => Number(at(object, 'series.count') ?? object['count'] ?? 1), wide),
    column('Name', ({ metadata }) => metadata.name, { ...wide, format: 'name' }),
  ],
  leases: [nameColumn, column('Holder', textAt('spec.holderIdentity', '')), ageColumn],
  customresourcedefinitions: [
    nameColumn,
    column('Created At', ({ metadata }) => metadata.creationTimestamp ?? UNKNOWN, { type: 'date' }),
  ],
};

export const defaultColumns: readonly Column[] = [nameColumn, ageColumn];

function nodeStatus(node: KubeObject): string {
  const ready = listOf(at(node, 'status.conditions')).find((each) => isObject(each) && each['type'] === 'Ready');
  const states = [isObject(ready) ? (ready['status'] === 'True' ? 'Ready' : 'NotReady') : 'Unknown'];
  if (at(node, 'spec.unschedulable') === true) states.push('SchedulingDisabled');
  return states.join(',');
}

function nodeRoles({ metadata }: KubeObject): string {
  const roles = Object.entries(metadata.labels ?? {}).flatMap(([key, value]) => {
    if (key.startsWith('node-role.kubernetes.io/')) return [key.slice('node-role.kubernetes.io/'.length)];
    return key === 'kubernetes.io/role' && value !== '' ? [value] : [];
  });
  return (
    roles
      .filter((role) => role !== '')
      .sort()
      .join(',') || NONE
  );
}

function nodeAddress(type: string) {
  return (node: KubeObject): string => {
    const found = listOf(at(node, 'status.addresses')).find((each) => isObject(each) && each['type'] === type);
    return textOf(objectOf(found)['address']) || NONE;
  };
}

function servicePorts(service: KubeObject): string {
  const ports = listOf(at(service, 'spec.ports')).map((each) => {
    const { port, nodePort, protocol } = objectOf(each) as { port?: number; nodePort?: number; protocol?: string };
    return `${port ?? 0}${nodePort === undefined ? '' : `:${nodePort}`}/${protocol ?? 'TCP'}`;
  });
  return ports.join(',') || NONE;
}

const labelText = (labels: JsonObject): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${textOf(value)}`)
    .join(',') || NONE;

const eventTime = (event: KubeObject): Json | undefined =>
  at(event, 'series.lastObservedTime') ??
  event['lastTimestamp'] ??
  event['eventTime'] ??
  event.metadata.creationTimestamp;

function involvedObject(event: KubeObject): string {
  const involved = objectOf(event['involvedObject']);
  return `${textOf(involved['kind']).toLowerCase()}/${textOf(involved['name'])}`;
}

function eventSource(event: KubeObject): string {
  const component = textOf(at(event, 'source.component')) || textOf(event['reportingComponent']);
  return [component, textOf(at(event, 'source.host'))].filter((part) => part !== '').join(', ');
}
