// The device port over the API server: reads from the watch, writes the status subresource with the version it was based on.
import type { DeviceApi } from './device-api.ts';
import type { DeviceWatch } from './device-watch.ts';
import type { KubeClient } from './kube-client.ts';
import { deviceIdOf, devicePath, type DeviceResource, type DeviceStatus } from './resources.ts';

export class KubeDeviceApi implements DeviceApi {
  readonly #client: KubeClient;
  readonly #watch: DeviceWatch;

  constructor(tools: { readonly client: KubeClient; readonly watch: DeviceWatch }) {
    this.#client = tools.client;
    this.#watch = tools.watch;
  }

  get(key: string): DeviceResource | undefined {
    return this.#watch.get(key);
  }

  async writeStatus(
    device: DeviceResource,
    status: DeviceStatus,
    signal: AbortSignal,
  ): Promise<'written' | 'conflict' | 'gone'> {
    const path = devicePath(deviceIdOf(device));
    const answer = await this.#client.request(
      { method: 'PUT', path: `${path}/status`, body: { ...device, status } },
      signal,
    );
    if (answer.status === 404) return 'gone';
    if (answer.status === 409) return await this.#readAgain(path, device, signal);
    this.#watch.refresh(answer.body);
    return 'written';
  }

  async #readAgain(path: string, device: DeviceResource, signal: AbortSignal): Promise<'conflict' | 'gone'> {
    const answer = await this.#client.request({ method: 'GET', path }, signal);
    if (answer.status !== 200) return 'gone';
    const current = this.#watch.refresh(answer.body);
    // Another object of the same name: the watch will tell of it.
    return current?.metadata.uid === device.metadata.uid ? 'conflict' : 'gone';
  }
}
