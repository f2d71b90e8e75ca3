// Watches every Device for as long as a test lasts, also across hubs that die, and notes where a status went backwards (G4).
import { setTimeout as delay } from 'node:timers/promises';
import { KubeClient } from '../../src/cloud/kubernetes/kube-client.ts';
import type { DeviceResource } from '../../src/cloud/kubernetes/resources.ts';
import { compareVersions, parseVersion } from '../../src/model/version.ts';
import { asObject, type JsonObject } from '../../src/wire/json.ts';

const DEVICES = '/apis/devices.kubeedge.io/v1beta1/namespaces/default/devices?watch=true';

export class StatusWatch implements AsyncDisposable {
  readonly #kubeconfig: string;
  readonly #abort = new AbortController();
  readonly #newest = new Map<string, { readonly version: string; readonly value: string }>();
  readonly #ended: Promise<void>;
  /** Sentences, one for each step back. */
  readonly setbacks: string[] = [];
  observed = 0;

  constructor(kubeconfig: string) {
    this.#kubeconfig = kubeconfig;
    this.#ended = this.#follow();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#ended;
  }

  async #follow(): Promise<void> {
    while (!this.#abort.signal.aborted) {
      const client = KubeClient.fromFile(this.#kubeconfig);
      try {
        const onObject = (event: JsonObject): void => this.#see(event);
        await client.watch(DEVICES, { onObject, silence: 30_000 }, this.#abort.signal);
      } catch {
        // The hub, and the API in it, are being killed all the time: from the beginning again.
      } finally {
        client.close();
      }
      await delay(100);
    }
  }

  #see(event: JsonObject): void {
    const device = asObject(event['object']) as unknown as DeviceResource | undefined;
    for (const { propertyName, reported } of device?.status?.twins ?? []) {
      const version = reported?.metadata?.['version'];
      if (device === undefined || reported === undefined || version === undefined) continue;
      this.#compare(`${device.metadata.uid}/${device.metadata.name}/${propertyName}`, {
        version,
        value: reported.value,
      });
    }
  }

  #compare(key: string, seen: { readonly version: string; readonly value: string }): void {
    this.observed += 1;
    const before = this.#newest.get(key);
    this.#newest.set(key, seen);
    if (before === undefined) return;
    const [was, is] = [parseVersion(before.version), parseVersion(seen.version)];
    const isBack = was === undefined || is === undefined || compareVersions(is, was) < 0;
    const isTwoFaced = before.version === seen.version && before.value !== seen.value;
    // The values of these tests are numbers that grow.
    const isOlderValue = Number(seen.value) < Number(before.value);
    if (isBack || isTwoFaced || isOlderValue)
      this.setbacks.push(`${key}: ${before.version} (${before.value}), then ${seen.version} (${seen.value})`);
  }
}
