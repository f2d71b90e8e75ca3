/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-class-instance-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-return -- answers have many shapes, and the assertions are what checks them */
// The hub speaks through @kubernetes/client-node: what it needs of a server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CoordinationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  PatchStrategy,
  Watch,
  setHeaderOptions,
} from '@kubernetes/client-node';
import { eventually, startApi, stopApi, temporaryDirectory, type AnyJson } from './harness.ts';
import { applyDeviceCrds, device } from './samples.ts';

const DEVICE = { group: 'devices.kubeedge.io', version: 'v1beta1', namespace: 'default', plural: 'devices' };
const PATH = '/apis/devices.kubeedge.io/v1beta1/devices';

function configFrom(file: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(file);
  return config;
}

test('client-node lists, watches, and resumes after a restart of the server', async (t) => {
  const dataDir = await temporaryDirectory();
  const first = await startApi(t, dataDir);
  await applyDeviceCrds(first.client);
  const objects = configFrom(first.api.kubeconfigFile).makeApiClient(CustomObjectsApi);
  await objects.createNamespacedCustomObject({ ...DEVICE, body: device('d1') });
  const list: AnyJson = await objects.listNamespacedCustomObject(DEVICE);
  const seen: string[] = [];
  const query = { resourceVersion: list.metadata.resourceVersion, allowWatchBookmarks: true };
  const note = (type: string, object: AnyJson): void => void seen.push(`${type} ${object.metadata.name}`);

  let isOver = false;
  await new Watch(configFrom(first.api.kubeconfigFile)).watch(PATH, query, note, () => (isOver = true));
  await objects.createNamespacedCustomObject({ ...DEVICE, body: device('d2') });
  await eventually('the live event', () => seen.length === 1);
  await stopApi(first.api);
  await eventually('the end of the watch', () => isOver);

  const second = await startApi(t, dataDir);
  const config = configFrom(second.api.kubeconfigFile);
  await config.makeApiClient(CustomObjectsApi).createNamespacedCustomObject({ ...DEVICE, body: device('d3') });
  const request = await new Watch(config).watch(PATH, query, note, () => undefined);
  await eventually('the events since the list', () => seen.length === 3);
  request.abort();

  assert.deepEqual(
    list.items.map(({ metadata }: AnyJson) => metadata.name),
    ['d1'],
  );
  assert.deepEqual(seen, ['ADDED d2', 'ADDED d2', 'ADDED d3']);
});

test('client-node replaces status, patches, and renews leases with version checks', async (t) => {
  const { api, client } = await startApi(t);
  await applyDeviceCrds(client);
  const config = configFrom(api.kubeconfigFile);
  const objects = config.makeApiClient(CustomObjectsApi);
  const leases = config.makeApiClient(CoordinationV1Api);
  const created: AnyJson = await objects.createNamespacedCustomObject({ ...DEVICE, body: device('d1') });

  const status = {
    ...created,
    status: { state: 'online', twins: [{ propertyName: 'count', reported: { value: '3', metadata: { v: '7' } } }] },
  };
  const replaced: AnyJson = await objects.replaceNamespacedCustomObjectStatus({ ...DEVICE, name: 'd1', body: status });
  const merged: AnyJson = await objects.patchNamespacedCustomObject(
    { ...DEVICE, name: 'd1', body: { metadata: { labels: { a: 'b' } } } },
    setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
  );
  await assert.rejects(
    objects.replaceNamespacedCustomObjectStatus({ ...DEVICE, name: 'd1', body: status }),
    (error: AnyJson) => error.code === 409,
  );
  const lease = await leases.createNamespacedLease({
    namespace: 'kube-node-lease',
    body: { metadata: { name: 'n1' }, spec: { holderIdentity: 'hub-1' } },
  });
  const renewed = await leases.replaceNamespacedLease({
    namespace: 'kube-node-lease',
    name: 'n1',
    body: Object.assign(lease, { spec: { holderIdentity: 'hub-2' } }),
  });

  assert.equal(replaced.status.twins[0].reported.metadata.v, '7');
  assert.equal(merged.metadata.labels.a, 'b');
  assert.equal(merged.metadata.generation, 1);
  assert.equal(renewed.spec?.holderIdentity, 'hub-2');
});

test('client-node creates nodes and replaces their status', async (t) => {
  const { api } = await startApi(t);
  const core = configFrom(api.kubeconfigFile).makeApiClient(CoreV1Api);
  const node = await core.createNode({
    body: { metadata: { name: 'edge-a', labels: { 'node-role.kubernetes.io/edge': '' } } },
  });

  const conditions = [{ type: 'Ready', status: 'True', reason: 'Heartbeat', message: 'the node answers' }];
  const updated = await core.replaceNodeStatus({
    name: 'edge-a',
    body: Object.assign(node, { status: { conditions, capacity: { cpu: '4' } } }),
  });

  assert.equal(updated.status?.conditions?.[0]?.status, 'True');
  assert.equal((await core.listNode()).items.length, 1);
});
