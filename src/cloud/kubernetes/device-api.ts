// What the rest of the hub sees of Devices in Kubernetes.
import type { DeviceResource, DeviceStatus } from './resources.ts';

export interface DeviceApi {
  /** The newest state known, by `<namespace>/<name>`. */
  get(key: string): DeviceResource | undefined;
  /**
   * Writes the whole status over the state that `device` shows. `conflict`: somebody wrote in between; `get` gives the newer
   * state afterwards. Rejects with KUBE_UNAVAILABLE, KUBE_FORBIDDEN or KUBE_REFUSED.
   */
  writeStatus(
    device: DeviceResource,
    status: DeviceStatus,
    signal: AbortSignal,
  ): Promise<'written' | 'conflict' | 'gone'>;
}
