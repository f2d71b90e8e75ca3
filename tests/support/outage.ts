// A site whose node is cut off while its devices go on reporting, and what can be seen of it in Kubernetes when the link is back.
import { connectAsync, type MqttClient } from 'mqtt';
import { setTimeout as delay } from 'node:timers/promises';
import { KubeClient } from '../../src/cloud/kubernetes/kube-client.ts';
import type { DeviceResource } from '../../src/cloud/kubernetes/resources.ts';
import { asObject, type JsonObject } from '../../src/wire/json.ts';
import type { CuttableRoad } from './cuttable-road.ts';
import { SmallSite } from './small-site.ts';
import { waitUntil } from './wait-until.ts';

const WATCH = '/apis/devices.kubeedge.io/v1beta1/namespaces/default/devices?watch=true';
const UNACKNOWLEDGED = 250;

export class Outage implements AsyncDisposable {
  readonly devices: readonly string[];
  readonly site: SmallSite;
  readonly road: CuttableRoad;
  readonly shown: ShownNumbers;
  readonly #client: MqttClient;

  private constructor(
    devices: readonly string[],
    parts: {
      readonly site: SmallSite;
      readonly road: CuttableRoad;
      readonly shown: ShownNumbers;
      readonly client: MqttClient;
    },
  ) {
    this.devices = devices;
    this.site = parts.site;
    this.road = parts.road;
    this.shown = parts.shown;
    this.#client = parts.client;
  }

  /** The link is cut, and Kubernetes shows 1 of every device. */
  static async begin(count: number): Promise<Outage> {
    const devices = Array.from({ length: count }, (_, n) => `meter-${n}`);
    const site = await SmallSite.start(devices);
    const road = await site.layRoad();
    await site.edge.stop();
    await site.startEdge();
    const shown = new ShownNumbers(site.kubeconfig);
    const client = await connectAsync(site.mqttUrl);
    const outage = new Outage(devices, { site, road, shown, client });
    await outage.report(1);
    await waitUntil('Kubernetes to show the first numbers', () => shown.all(devices, 1), 60_000);
    road.cut();
    await waitUntil('the link to be lost', async () => !(await outage.status()).isLinked);
    return outage;
  }

  /** Every device reports the numbers from the first through the last; resolves when all are acknowledged. */
  async report(first: number, last = first): Promise<void> {
    const atOnce = Math.max(1, Math.floor(UNACKNOWLEDGED / this.devices.length));
    for (let from = first; from <= last; from += atOnce) {
      const numbers = Array.from({ length: Math.min(atOnce, last - from + 1) }, (_, n) => from + n);
      await Promise.all(numbers.flatMap((number) => this.devices.map((device) => this.#publish(device, number))));
    }
  }

  async status(): Promise<{ readonly isLinked: boolean; readonly backlog: number }> {
    const answer = await fetch(`${this.site.edge.text('http')}/status`);
    return (await answer.json()) as { isLinked: boolean; backlog: number };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.endAsync(true);
    await this.shown[Symbol.asyncDispose]();
    await this.site[Symbol.asyncDispose]();
  }

  async #publish(device: string, number: number): Promise<void> {
    const payload = JSON.stringify({ event_id: '', twin: { number: { actual: { value: String(number) } } } });
    await this.#client.publishAsync(`$hw/events/device/default/${device}/twin/update`, payload, { qos: 1 });
  }
}

/** The number that Kubernetes shows of each device. */
export class ShownNumbers implements AsyncDisposable {
  readonly #client: KubeClient;
  readonly #abort = new AbortController();
  readonly #numbers = new Map<string, number>();
  readonly #ended: Promise<void>;
  /** Where a status went backwards (G4). */
  readonly setbacks: string[] = [];

  constructor(kubeconfig: string) {
    this.#client = KubeClient.fromFile(kubeconfig);
    this.#ended = this.#follow();
  }

  all(devices: readonly string[], number: number): boolean {
    return devices.every((device) => this.#numbers.get(device) === number);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#ended;
    this.#client.close();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      const onObject = (event: JsonObject): void => this.#see(event);
      await this.#client.watch(WATCH, { onObject, silence: 60_000 }, signal).catch(() => delay(50));
    }
  }

  #see(event: JsonObject): void {
    const { metadata, status } = asObject(event['object']) as unknown as DeviceResource;
    const reported = status?.twins?.find(({ propertyName }) => propertyName === 'number')?.reported;
    if (reported === undefined) return;
    const [before, now] = [this.#numbers.get(metadata.name) ?? 0, Number(reported.value)];
    if (now < before) this.setbacks.push(`${metadata.name}: ${before}, then ${now}`);
    this.#numbers.set(metadata.name, now);
  }
}
