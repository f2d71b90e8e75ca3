import type { KubeClient } from '../cloud/kubernetes/kube-client.ts';
import { SkerryError } from '../kit/errors.ts';
import { sleep } from '../kit/sleep.ts';
import { ms } from '../kit/units.ts';

export interface Manifest {
  readonly kind: string;
  readonly apiVersion?: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: unknown;
}

const PLURALS: Readonly<Record<string, string>> = { Device: 'devices', DeviceModel: 'devicemodels' };
const API_VERSION = 'devices.kubeedge.io/v1beta1';
const RETRY = ms(200);

/** Creates a Device or DeviceModel where it is missing. The definitions of these kinds are installed by the hub, which may only just have begun. */
export async function createUntilServed(client: KubeClient, manifest: Manifest, signal: AbortSignal): Promise<void> {
  const namespace = manifest.metadata.namespace ?? 'default';
  const path = `/apis/${API_VERSION}/namespaces/${namespace}/${PLURALS[manifest.kind] ?? ''}`;
  const body = { apiVersion: API_VERSION, ...manifest };
  while (!signal.aborted) {
    try {
      const answer = await client.request({ method: 'POST', path, body }, signal);
      if (answer.status < 300 || answer.status === 409) return;
    } catch (error) {
      if (!(error instanceof SkerryError) || error.kind !== 'unavailable') throw error;
    }
    await sleep(RETRY, signal);
  }
}
