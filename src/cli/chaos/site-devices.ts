// The devices of a run as Kubernetes knows them: one model with one property, and who belongs to which edge node.
import type { KubeClient } from '../../cloud/kubernetes/kube-client.ts';
import type { DeviceResource } from '../../cloud/kubernetes/resources.ts';
import { asArray } from '../../wire/json.ts';
import type { DeviceId } from '../../model/device.ts';
import { NUMBER_PROPERTY } from '../../../simulator/numbers/numbered-publisher.ts';
import { createUntilServed } from '../manifests.ts';

const NAMESPACE = 'default';
const MODEL = 'numbers';
const PROTOCOL = 'virtualProtocol';

export const DEVICES_PATH = `/apis/devices.kubeedge.io/v1beta1/namespaces/${NAMESPACE}/devices`;

export const edgeName = (edge: number): string => `edge-${edge + 1}`;

/** Of one edge node, counted from 0. */
export function devicesOf(edge: number, count: number): readonly DeviceId[] {
  return Array.from({ length: count }, (_, place) => ({
    namespace: NAMESPACE,
    name: `${edgeName(edge)}-${place + 1}`,
  }));
}

export async function createDevices(
  client: KubeClient,
  { edges, devices }: { readonly edges: number; readonly devices: number },
  signal: AbortSignal,
): Promise<void> {
  const model = { properties: [{ name: NUMBER_PROPERTY, type: 'INT', accessMode: 'ReadWrite' }] };
  await createUntilServed(client, { kind: 'DeviceModel', metadata: { name: MODEL }, spec: model }, signal);
  for (let edge = 0; edge < edges; edge += 1) {
    for (const { name } of devicesOf(edge, devices))
      await createUntilServed(client, { kind: 'Device', metadata: { name }, spec: specOn(edgeName(edge)) }, signal);
  }
}

function specOn(nodeName: string): object {
  return {
    deviceModelRef: { name: MODEL },
    nodeName,
    protocol: { protocolName: PROTOCOL },
    properties: [{ name: NUMBER_PROPERTY, visitors: { protocolName: PROTOCOL, configData: {} } }],
  };
}

/** The number that Kubernetes shows for each device by its name. Rejects with KUBE_UNAVAILABLE. */
export async function shownNumbers(client: KubeClient, signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
  const { body } = await client.request({ method: 'GET', path: DEVICES_PATH }, signal);
  const devices = (asArray(body['items']) ?? []) as unknown as readonly DeviceResource[];
  return new Map(
    devices.map(({ metadata, status }) => {
      const twin = status?.twins?.find(({ propertyName }) => propertyName === NUMBER_PROPERTY);
      return [metadata.name, Number(twin?.reported?.value ?? 0)];
    }),
  );
}
