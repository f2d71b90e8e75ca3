import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { KubeClient } from '../../cloud/kubernetes/kube-client.ts';
import { SkerryError } from '../../kit/errors.ts';
import { sleep } from '../../kit/sleep.ts';
import { ms } from '../../kit/units.ts';
import { packageRoot } from '../package-root.ts';

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

const PLURALS: Readonly<Record<string, string>> = { Device: 'devices', DeviceModel: 'devicemodels' };
const RETRY = ms(200);

/** Creates the counter's DeviceModel and Device where they are missing; what a person changed in them stays. */
export async function applyCounter(client: KubeClient, signal: AbortSignal): Promise<void> {
  for (const file of ['counter-model.yaml', 'counter.yaml']) {
    const text = readFileSync(join(packageRoot(), 'examples', 'devices', file), 'utf8');
    for (const document of parseAllDocuments(text))
      await createUntilServed(client, document.toJS() as Manifest, signal);
  }
}

/** The definitions of these kinds are installed by the hub, which has only just begun. */
async function createUntilServed(client: KubeClient, manifest: Manifest, signal: AbortSignal): Promise<void> {
  const namespace = manifest.metadata.namespace ?? 'default';
  const path = `/apis/devices.kubeedge.io/v1beta1/namespaces/${namespace}/${PLURALS[manifest.kind] ?? ''}`;
  while (!signal.aborted) {
    try {
      const answer = await client.request({ method: 'POST', path, body: manifest }, signal);
      if (answer.status < 300 || answer.status === 409) return;
    } catch (error) {
      if (!(error instanceof SkerryError) || error.kind !== 'unavailable') throw error;
    }
    await sleep(RETRY, signal);
  }
}
