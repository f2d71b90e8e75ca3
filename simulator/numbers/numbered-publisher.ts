// A few devices that say nothing but 1, 2, 3 … over one MQTT session at QoS 1: what is acknowledged can then be looked for, number
// by number, wherever it should have arrived.
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../src/kit/clock.ts';
import type { Deadline } from '../../src/kit/deadline.ts';
import type { Logger } from '../../src/kit/logger.ts';
import type { Health, Service } from '../../src/kit/service.ts';
import type { DeviceId } from '../../src/model/device.ts';
import { requestTopic } from '../../src/wire/mqtt-topics.ts';
import { MqttSession } from '../mqtt-session.ts';

/** The only property of such a device. */
export const NUMBER_PROPERTY = 'number';

export interface NumberedPublisherConfig {
  readonly mqttUrl: string;
  readonly clientName: string;
  readonly devices: readonly DeviceId[];
  /** How the edge node can tell a resend from news: by the request's `event_id`, or by DUP within a session that is kept. */
  readonly resendsBy: 'event_id' | 'dup';
}

/** Publications of one session that were not acknowledged, at most: a session that resends takes them one by one. */
const MOST_UNACKNOWLEDGED = 500;

export class NumberedPublisher implements Service {
  readonly name = 'numbered-publisher';
  readonly devices: readonly DeviceId[];
  readonly #resendsBy: NumberedPublisherConfig['resendsBy'];
  readonly #session: MqttSession;
  readonly #clock: Clock;
  readonly #newest: number[];
  readonly #onAcknowledged: (device: DeviceId, number: number) => void;
  #turn = 0;

  constructor(
    { mqttUrl, clientName, devices, resendsBy }: NumberedPublisherConfig,
    tools: {
      readonly onAcknowledged: (device: DeviceId, number: number) => void;
      readonly logger: Logger;
      readonly clock: Clock;
    },
  ) {
    this.devices = devices;
    this.#resendsBy = resendsBy;
    this.#clock = tools.clock;
    this.#onAcknowledged = tools.onAcknowledged;
    this.#newest = devices.map(() => 0);
    const events = { onConnected: () => undefined, onMessage: () => undefined };
    this.#session = new MqttSession(
      { url: mqttUrl, clientName, isPersistent: resendsBy === 'dup', topics: [] },
      { events, logger: tools.logger },
    );
  }

  start(signal: AbortSignal): Promise<void> {
    return this.#session.start(signal);
  }

  stop(deadline: Deadline): Promise<void> {
    return this.#session.stop(deadline);
  }

  health(): Health {
    return this.#session.health();
  }

  get unacknowledged(): number {
    return this.#session.unacknowledged;
  }

  /** The greatest number that the device at this place has said; 0 when none. */
  newestOf(place: number): number {
    return this.#newest[place] ?? 0;
  }

  /** The next device says its next number. False when too many are unacknowledged: then nothing was said. */
  publishNext(): boolean {
    const place = this.#turn % this.devices.length;
    const device = this.devices[place];
    if (device === undefined || this.#session.unacknowledged >= MOST_UNACKNOWLEDGED) return false;
    this.#turn += 1;
    const number = this.newestOf(place) + 1;
    this.#newest[place] = number;
    const payload = {
      ...(this.#resendsBy === 'event_id' ? { event_id: randomUUID() } : {}),
      timestamp: this.#clock.now(),
      twin: { [NUMBER_PROPERTY]: { actual: { value: String(number) } } },
    };
    this.#session.publish(requestTopic(device, 'twin/update'), JSON.stringify(payload), () =>
      this.#onAcknowledged(device, number),
    );
    return true;
  }
}
