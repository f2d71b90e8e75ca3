// KubeEdge's classic counter tutorial against Skerry: the client unchanged, the desired value set with kubectl.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClassicCounterClient } from '../support/classic-counter-client.ts';
import { Kubectl } from '../support/kubectl.ts';
import { SmallSite } from '../support/small-site.ts';
import { waitUntil } from '../support/wait-until.ts';

const MANIFESTS = `
apiVersion: devices.kubeedge.io/v1beta1
kind: DeviceModel
metadata: {name: counter-model}
spec:
  properties:
  - {name: status, type: STRING, accessMode: ReadWrite}
---
apiVersion: devices.kubeedge.io/v1beta1
kind: Device
metadata: {name: counter}
spec:
  deviceModelRef: {name: counter-model}
  nodeName: site
  protocol: {protocolName: virtualProtocol}
  properties:
  - {name: status, desired: {value: "OFF"}}
`;

const desired = (value: string): readonly string[] => [
  ...['patch', 'device', 'counter', '--type=merge', '-p'],
  JSON.stringify({ spec: { properties: [{ name: 'status', desired: { value } }] } }),
];

test('the client of the classic counter tutorial obeys kubectl and shows its count in Kubernetes', async () => {
  await using site = await SmallSite.start([]);
  const kubectl = new Kubectl(site.kubeconfig);
  const applied = await waitUntil('the API to know Devices', async () => {
    const result = await kubectl.apply(MANIFESTS);
    return result.code === 0 && result;
  });
  assert.match(applied.stdout, /counter created/);
  await waitUntil(
    'the edge node to know the counter',
    async () => (await fetch(`${site.edge.text('http')}/twins/default/counter`)).ok,
    10_000,
  );
  await using client = await ClassicCounterClient.start(site.mqttUrl, 100);
  const reported = async (): Promise<string> =>
    (await kubectl.run(['get', 'device', 'counter', '-o', 'jsonpath={.status.twins[0].reported.value}'])).stdout;

  await kubectl.run(desired('ON'));
  await waitUntil('the client to count', () => client.isCounting && client.count > 3);
  await waitUntil('its count to be in Kubernetes', async () => Number(await reported()) > 3);

  await kubectl.run(desired('OFF'));
  await waitUntil('the client to stop', () => !client.isCounting);
  await waitUntil('its zero to be in Kubernetes', async () => (await reported()) === '0');
});
