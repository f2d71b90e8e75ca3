// The device port over the API server: reads from the watch, writes the status subresource with the version it was based on.
import { parseDeviceKey } from '../../model/device.ts';
import { asObject } from '../../wire/json.ts';
import type { DeviceApi } from './device-api.ts';
import type { DeviceWatch } from './device-watch.ts';
import { kubeErrors } from './errors.ts';
import type { KubeAnswer, KubeClient, KubeRequest } from './kube-client.ts';
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
    const request: KubeRequest = { method: 'PUT', path: `${path}/status`, body: { ...device, status } };
    const answer = await this.#ask(request, device.metadata.name, signal);
    if (answer === 'gone') return 'gone';
    if (answer.status === 409) return await this.#readAgain(path, device, signal);
    this.#watch.refresh(answer.body);
    return 'written';
  }

  /** Whether the API server has it, whatever the watch shows. Rejects like `writeStatus`. */
  async exists(key: string, signal: AbortSignal): Promise<boolean> {
    const device = parseDeviceKey(key);
    const answer = await this.#ask({ method: 'GET', path: devicePath(device) }, device.name, signal);
    return answer !== 'gone';
  }

  async #readAgain(path: string, device: DeviceResource, signal: AbortSignal): Promise<'conflict' | 'gone'> {
    const answer = await this.#ask({ method: 'GET', path }, device.metadata.name, signal);
    if (answer === 'gone') return 'gone';
    const current = this.#watch.refresh(answer.body);
    // Another object of the same name: the watch will tell of it.
    return current?.metadata.uid === device.metadata.uid ? 'conflict' : 'gone';
  }

  /** An API server that does not serve Devices for a while answers 404 as well: only one that names the object says it is gone. */
  async #ask(request: KubeRequest, name: string, signal: AbortSignal): Promise<KubeAnswer | 'gone'> {
    const answer = await this.#client.request(request, signal);
    if (answer.status < 300 || (answer.status === 409 && request.method !== 'GET')) return answer;
    const details = asObject(answer.body['details']) ?? {};
    if (answer.status === 404 && details['kind'] === 'devices' && details['name'] === name) return 'gone';
    const { method, path } = request;
    const reason = answer.status === 404 ? 'Device is not known to it' : `status ${answer.status}`;
    throw kubeErrors.KUBE_UNAVAILABLE({ method, path, reason });
  }
}
