import { kubeconfigOf } from '../kubeconfig.ts';
import { requiredSetting, textSetting, type Settings } from '../options.ts';
import { edgeUrlIn } from './edge-address.ts';
import { EdgeTwins } from './edge-twins.ts';
import { KubernetesTwins } from './kubernetes-twins.ts';
import type { TwinSource } from './twin-source.ts';

/** The edge node that was named, else Kubernetes. */
export function sourceOf(settings: Settings): TwinSource {
  return textSetting(settings, 'edge') === undefined ? kubernetesOf(settings) : edgeOf(settings);
}

export function kubernetesOf(settings: Settings): KubernetesTwins {
  return new KubernetesTwins(kubeconfigOf(settings));
}

/** The edge node that was named, else the one of the data dir. */
export function edgeOf(settings: Settings): EdgeTwins {
  const named = textSetting(settings, 'edge');
  return new EdgeTwins(named ?? edgeUrlIn(requiredSetting(settings, 'data-dir', 'of the demo or edge node to ask')));
}

/** Closed after use, whatever happens. */
export async function withSource<S extends { close(): void }>(
  source: S,
  use: (source: S) => Promise<void>,
): Promise<number> {
  try {
    await use(source);
    return 0;
  } finally {
    source.close();
  }
}
