// Numbered wishes of the cloud for one device, patched into Kubernetes whenever it answers, and what the device's side hears of
// them over MQTT.
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type MqttClient } from 'mqtt';
import { KubeClient } from '../../src/cloud/kubernetes/kube-client.ts';
import { asObject, parseJson } from '../../src/wire/json.ts';

const PATH = '/apis/devices.kubeedge.io/v1beta1/namespaces/default/devices';

export class DesiredWishes implements AsyncDisposable {
  readonly #kubeconfig: string;
  readonly #device: string;
  readonly #abort = new AbortController();
  #ended: Promise<void> = Promise.resolve();
  #number = 0;
  /** The newest one that Kubernetes confirmed. */
  confirmed = 0;

  constructor(kubeconfig: string, device: string) {
    this.#kubeconfig = kubeconfig;
    this.#device = device;
  }

  start(everyMs: number): void {
    this.#ended = this.#wish(everyMs);
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #wish(everyMs: number): Promise<void> {
    while (!this.#abort.signal.aborted) {
      await this.say().catch(() => undefined);
      await delay(everyMs);
    }
  }

  /** The next number; rejects when Kubernetes does not confirm it, which leaves open whether it has it. */
  async say(): Promise<number> {
    const client = KubeClient.fromFile(this.#kubeconfig);
    try {
      const number = (this.#number += 1);
      const body = [{ op: 'add', path: '/spec/properties/0/desired', value: { value: String(number) } }];
      const path = `${PATH}/${this.#device}`;
      const answer = await client.request({ method: 'PATCH', path, body, contentType: 'application/json-patch+json' });
      if (answer.status !== 200) throw new Error(`the patch was answered with ${answer.status}`);
      this.confirmed = number;
      return number;
    } finally {
      client.close();
    }
  }
}

/** Hears the retained topic of one device as a mapper does. */
export class MapperEar implements AsyncDisposable {
  readonly #client: MqttClient;
  readonly heard: number[] = [];

  constructor(mqttUrl: string, device: string) {
    this.#client = connect(mqttUrl, { reconnectPeriod: 200, connectTimeout: 3000 });
    this.#client.on('error', () => undefined);
    this.#client.on('message', (_topic, payload) => {
      const desired = desiredIn(payload);
      if (desired !== undefined) this.heard.push(desired);
    });
    this.#client.subscribe(`$skerry/mapper/virtualProtocol/default/${device}`, { qos: 1 });
  }

  get newest(): number | undefined {
    return this.heard.at(-1);
  }

  /** Places where an older number followed a newer one. */
  get setbacks(): readonly string[] {
    return this.heard.flatMap((number, place) => {
      const before = this.heard[place - 1] ?? 0;
      return number < before ? [`${before}, then ${number}`] : [];
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.endAsync(true);
  }
}

function desiredIn(payload: Buffer): number | undefined {
  const properties = asObject(parseJson(payload))?.['properties'];
  const first = Array.isArray(properties) ? asObject(properties[0]) : undefined;
  return typeof first?.['desired'] === 'string' ? Number(first['desired']) : undefined;
}
