import { Joining } from '../cloud/joining.ts';
import { KubeClient } from '../cloud/kubernetes/kube-client.ts';
import { systemClock } from '../kit/clock.ts';
import { kubeconfigOf } from './kubeconfig.ts';
import type { Settings } from './options.ts';
import { withSource } from './twin/sources.ts';

/** Closed after use, whatever happens. */
export async function withJoining(settings: Settings, use: (joining: Joining) => Promise<void>): Promise<number> {
  return withSource(new Joining(KubeClient.fromFile(kubeconfigOf(settings)), { clock: systemClock }), use);
}
