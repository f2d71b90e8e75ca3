// Numbered publications at a steady rate, and the question that every crash test asks afterwards: is each acknowledged number in
// the stream once, and in order?
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { connect, type MqttClient } from 'mqtt';
import { AckPolicy, connect as connectNats, DeliverPolicy, type NatsConnection } from 'nats';
import { decodeBatch, type DeviceEvent } from '../../src/wire/device-events.ts';

export interface NatsAccess {
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

export class CountedPublications {
  readonly #client: MqttClient;
  readonly #devices: readonly string[];
  readonly #acknowledged = new Map<string, Set<number>>();
  readonly #next = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #turn = 0;
  #unacknowledged = 0;

  constructor(mqttUrl: string, devices: readonly string[]) {
    this.#devices = devices;
    this.#client = connect(mqttUrl, {
      reconnectPeriod: 200,
      connectTimeout: 3000,
      clean: false,
      clientId: `numbers-${randomUUID()}`,
    });
    // An edge node that was killed refuses connections for a while; that is what these tests are about.
    this.#client.on('error', () => undefined);
    for (const device of devices) {
      this.#acknowledged.set(device, new Set());
      this.#next.set(device, 1);
    }
  }

  start(perSecond: number): void {
    this.#timer = setInterval(() => {
      this.#publishNext();
    }, 1000 / perSecond);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Published and not acknowledged. */
  get waiting(): number {
    return this.#unacknowledged;
  }

  get acknowledged(): number {
    return [...this.#acknowledged.values()].reduce((sum, numbers) => sum + numbers.size, 0);
  }

  newest(device: string): number {
    return Math.max(0, ...(this.#acknowledged.get(device) ?? []));
  }

  async close(): Promise<void> {
    this.stop();
    await this.#client.endAsync(true);
  }

  /** Every acknowledged number is there, none twice, and each device's in order. */
  assertDelivered(delivered: ReadonlyMap<string, readonly number[]>): void {
    for (const device of this.#devices) {
      const numbers = delivered.get(device) ?? [];
      const lost = [...(this.#acknowledged.get(device) ?? [])].filter((number) => !numbers.includes(number));
      const doubled = numbers.filter((number, place) => numbers.indexOf(number) !== place);
      const disordered = numbers.filter((number, place) => place > 0 && number <= (numbers[place - 1] ?? 0));
      assert.deepEqual({ device, lost, doubled, disordered }, { device, lost: [], doubled: [], disordered: [] });
    }
  }

  #publishNext(): void {
    const device = this.#devices[this.#turn % this.#devices.length] ?? '';
    this.#turn += 1;
    const number = this.#next.get(device) ?? 1;
    this.#next.set(device, number + 1);
    const payload = JSON.stringify({
      event_id: randomUUID(),
      timestamp: Date.now(),
      twin: { number: { actual: { value: String(number) } } },
    });
    this.#unacknowledged += 1;
    this.#client.publish(`$hw/events/device/default/${device}/twin/update`, payload, { qos: 1 }, (error) => {
      this.#unacknowledged -= 1;
      // MQTT.js gives up what was published while it was resending older messages over a connection that then broke.
      if (error instanceof Error) return;
      this.#acknowledged.get(device)?.add(number);
    });
  }
}

/** The values of property `number` per device, in the order in which the stream holds them. */
export async function numbersInStream(access: NatsAccess): Promise<Map<string, number[]>> {
  const numbers = new Map<string, number[]>();
  for (const { property, device, value } of await eventsInStream(access)) {
    if (property !== 'number') continue;
    const known = numbers.get(device.name);
    if (known === undefined) numbers.set(device.name, [Number(value)]);
    else known.push(Number(value));
  }
  return numbers;
}

/** Everything in the stream of reports, in its order. */
export async function eventsInStream({ url, user, password }: NatsAccess): Promise<DeviceEvent[]> {
  const connection = await connectNats({ servers: url, user, pass: password });
  try {
    return await readEvents(connection);
  } finally {
    await connection.close();
  }
}

async function readEvents(connection: NatsConnection): Promise<DeviceEvent[]> {
  const events: DeviceEvent[] = [];
  const manager = await connection.jetstreamManager();
  const { name } = await manager.consumers.add('skerry-up', {
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.All,
  });
  const consumer = await connection.jetstream().consumers.get('skerry-up', name);
  let left = (await manager.streams.info('skerry-up')).state.messages;
  while (left > 0) {
    for await (const message of await consumer.fetch({ max_messages: Math.min(left, 500), expires: 5000 })) {
      left -= 1;
      const batch = decodeBatch(message.data);
      if (batch.kind === 'refused') assert.fail(batch.reason);
      events.push(...batch.events);
    }
  }
  return events;
}
