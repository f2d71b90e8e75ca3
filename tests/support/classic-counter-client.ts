// The counter app of KubeEdge's classic tutorial (`pi-counter-app`), written again from its description: one address level, QoS 0,
// the count reported as the actual value of `status`, the type name `Updated`, no event id. It knows nothing of Skerry.
import { connectAsync, type MqttClient } from 'mqtt';

const UPDATE = '$hw/events/device/counter/twin/update';
const DOCUMENT = `${UPDATE}/document`;

interface Document {
  readonly twin?: {
    readonly status?: { readonly current?: { readonly expected?: { readonly value?: string } } | null };
  };
}

export class ClassicCounterClient implements AsyncDisposable {
  readonly #client: MqttClient;
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;
  #count = 0;

  private constructor(client: MqttClient, intervalMs: number) {
    this.#client = client;
    this.#intervalMs = intervalMs;
  }

  /** Resolves when it listens to its device's documents. */
  static async start(mqttUrl: string, intervalMs = 1000): Promise<ClassicCounterClient> {
    const client = await connectAsync(mqttUrl, { clientId: `pi-counter-app-${process.pid}-${Math.random()}` });
    const counter = new ClassicCounterClient(client, intervalMs);
    client.on('message', (topic, payload) => {
      if (topic === DOCUMENT) counter.#obey(JSON.parse(payload.toString()) as Document);
    });
    await client.subscribeAsync(DOCUMENT);
    return counter;
  }

  get isCounting(): boolean {
    return this.#timer !== undefined;
  }

  get count(): number {
    return this.#count;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#client.endAsync(true);
  }

  #obey(document: Document): void {
    const command = document.twin?.status?.current?.expected?.value;
    if (command === 'ON') this.#turnOn();
    if (command === 'OFF') this.#turnOff();
  }

  #turnOn(): void {
    this.#timer ??= setInterval(() => {
      this.#count += 1;
      this.#publish();
    }, this.#intervalMs);
  }

  #turnOff(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#count = 0;
    this.#publish();
  }

  #publish(): void {
    const status = { actual: { value: String(this.#count) }, metadata: { type: 'Updated' } };
    this.#client.publish(UPDATE, JSON.stringify({ event_id: '', timestamp: 0, twin: { status } }), { qos: 0 });
  }
}
