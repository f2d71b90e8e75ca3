import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { KubeClient } from '../../cloud/kubernetes/kube-client.ts';
import { createUntilServed, type Manifest } from '../manifests.ts';
import { packageRoot } from '../package-root.ts';

/** Creates the counter's DeviceModel and Device where they are missing; what a person changed in them stays. */
export async function applyCounter(client: KubeClient, signal: AbortSignal): Promise<void> {
  for (const file of ['counter-model.yaml', 'counter.yaml']) {
    const text = readFileSync(join(packageRoot(), 'examples', 'devices', file), 'utf8');
    for (const document of parseAllDocuments(text))
      await createUntilServed(client, document.toJS() as Manifest, signal);
  }
}
