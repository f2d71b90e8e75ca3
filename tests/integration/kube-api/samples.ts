/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-return -- answers have many shapes, and the assertions are what checks them */
// Objects that several tests use.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { AnyJson, Client } from './harness.ts';

export const DEVICES = '/apis/devices.kubeedge.io/v1beta1/namespaces/default/devices';
export const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
export const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

export const configMap = (name: string, data: Record<string, string> = {}, labels: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels },
  data,
});

export const device = (name: string, spec: Record<string, unknown> = {}) => ({
  apiVersion: 'devices.kubeedge.io/v1beta1',
  kind: 'Device',
  metadata: { name },
  spec: { deviceModelRef: { name: 'counter' }, nodeName: 'edge-a', ...spec },
});

/** The definitions in deploy/crds (tests run from the root of the repository). */
export async function deviceCrds(): Promise<readonly AnyJson[]> {
  const files = ['device.yaml', 'devicemodel.yaml'].map((file) => join(process.cwd(), 'deploy/crds', file));
  return Promise.all(files.map(async (file) => parse(await readFile(file, 'utf8'))));
}

export async function applyDeviceCrds(client: Client): Promise<void> {
  for (const crd of await deviceCrds()) await client.post(CRDS, crd);
}

/** A small definition of a kind `Widget`. */
export function widgetCrd(change: { schema?: AnyJson; versions?: AnyJson } = {}): AnyJson {
  const schema = change.schema ?? {
    type: 'object',
    properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
  };
  const version = (name: string, storage: boolean) => ({
    name,
    served: true,
    storage,
    schema: { openAPIV3Schema: schema },
  });
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { kind: 'Widget', plural: 'widgets', shortNames: ['wd'], categories: ['all'] },
      versions: change.versions ?? [version('v1', true), version('v1beta1', false)],
    },
  };
}
