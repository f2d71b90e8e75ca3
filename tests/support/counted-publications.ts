// Numbered publications at a steady rate, and the question that every crash test asks afterwards: is each acknowledged number in
// the stream once, and in order?
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { connect, Store, type MqttClient } from 'mqtt';
import { AckPolicy, connect as connectNats, DeliverPolicy, type NatsConnection } from 'nats';
import { connectionOptions } from '../../src/nats/connection-options.ts';
import type { NatsAccess } from '../../src/wire/node-identity.ts';
import { decodeBatch, EVENT_TYPES, type DeviceEvent, type Gap } from '../../src/wire/device-events.ts';

/** What is published: where, and how the number stands in it. */
export interface Numbered {
  readonly topic: (device: string) => string;
  readonly payload: (number: number) => string;
}

const TWIN_UPDATES: Numbered = {
  topic: (device) => `$hw/events/device/default/${device}/twin/update`,
  payload: (number) =>
    JSON.stringify({
      event_id: randomUUID(),
      timestamp: Date.now(),
      twin: { number: { actual: { value: String(number) } } },
    }),
};

/** MQTT.js sends again what was not acknowledged, and leaves out the DUP flag that MQTT-3.3.1-1 asks for. */
class ResendsSaySo extends Store {
  override createStream(): ReturnType<Store['createStream']> {
    const stream = super.createStream();
    const read = stream.read.bind(stream);
    stream.read = (size?: number): unknown => {
      const packet = read(size) as { readonly cmd: string } | null;
      return packet?.cmd === 'publish' ? { ...packet, dup: true } : packet;
    };
    return stream;
  }
}

export class CountedPublications {
  readonly #client: MqttClient;
  readonly #devices: readonly string[];
  readonly #numbered: Numbered;
  readonly #acknowledged = new Map<string, Set<number>>();
  readonly #next = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #turn = 0;
  #unacknowledged = 0;

  constructor(mqttUrl: string, devices: readonly string[], numbered = TWIN_UPDATES) {
    this.#devices = devices;
    this.#numbered = numbered;
    this.#client = connect(mqttUrl, {
      reconnectPeriod: 200,
      connectTimeout: 3000,
      clean: false,
      clientId: `numbers-${randomUUID()}`,
      outgoingStore: new ResendsSaySo(),
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
    const { topic, payload } = this.#numbered;
    this.#unacknowledged += 1;
    this.#client.publish(topic(device), payload(number), { qos: 1 }, (error) => {
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

/** Everything of devices in the stream of reports, in its order. */
export async function eventsInStream(access: NatsAccess): Promise<DeviceEvent[]> {
  return (await readStream(access)).flatMap(({ data }) => {
    const batch = decodeBatch(data);
    return batch.kind === 'refused' ? assert.fail(batch.reason) : batch.events;
  });
}

/** A message as a program in the cloud reads it. */
export interface CloudMessage {
  /** Of NATS. */
  readonly on: string;
  readonly subject?: string;
  readonly topic: string;
  readonly datacontenttype: string;
  readonly data?: unknown;
  readonly data_base64?: string;
  readonly historical?: boolean;
}

/** What was published for programs in the cloud, in the order of the stream. */
export async function messagesInStream(access: NatsAccess): Promise<CloudMessage[]> {
  return (await readStream(access)).flatMap(({ subject, data }) => {
    const events = JSON.parse(Buffer.from(data).toString()) as ({ readonly type: string } & CloudMessage)[];
    return events.filter(({ type }) => type === EVENT_TYPES.message).map((event) => ({ ...event, on: subject }));
  });
}

/** By subject, what gap markers say is missing, also of messages. */
export async function gapsInStream(access: NatsAccess): Promise<ReadonlyMap<string, readonly object[]>> {
  const gaps = new Map<string, object[]>();
  for (const { subject, data } of await readStream(access)) {
    const events = JSON.parse(Buffer.from(data).toString()) as { readonly data?: { readonly gap?: Gap } }[];
    for (const { data: said } of events) {
      const { reason, changes } = said?.gap ?? {};
      if (reason !== undefined) gaps.set(subject, [...(gaps.get(subject) ?? []), { reason, changes }]);
    }
  }
  return gaps;
}

interface Stored {
  readonly subject: string;
  readonly data: Uint8Array;
}

async function readStream(access: NatsAccess): Promise<Stored[]> {
  const connection = await connectNats(connectionOptions(access, undefined));
  try {
    return await readAll(connection);
  } finally {
    await connection.close();
  }
}

async function readAll(connection: NatsConnection): Promise<Stored[]> {
  const stored: Stored[] = [];
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
      stored.push({ subject: message.subject, data: message.data });
    }
  }
  return stored;
}
