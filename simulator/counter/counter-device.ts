// The virtual counter as a device: it speaks MQTT and nothing else, as any device of a user would. It learns what its status should
// be from its retained mapper topic, obeys, and reports what it does. It never asks who is on the other side.
import { randomUUID } from 'node:crypto';
import { systemClock, type Clock } from '../../src/kit/clock.ts';
import type { Deadline } from '../../src/kit/deadline.ts';
import type { Logger } from '../../src/kit/logger.ts';
import type { Health, Service } from '../../src/kit/service.ts';
import { ms, type Duration } from '../../src/kit/units.ts';
import type { DeviceId } from '../../src/model/device.ts';
import { mapperTopic, requestTopic } from '../../src/wire/mqtt-topics.ts';
import { MqttSession } from '../mqtt-session.ts';
import { INITIAL_COUNTER, stepped, switched, switchNamed, type Counter } from './counter.ts';
import { reportPayload, type CounterNews } from './counter-report.ts';
import { readMapperMessage } from './mapper-message.ts';

export const COUNTER_PROTOCOL = 'virtualProtocol';

export interface CounterDeviceConfig {
  readonly mqttUrl: string;
  readonly device: DeviceId;
  /** Between two counts; default 1000. */
  readonly intervalMs?: number;
}

/** A report that was sent, or acknowledged (then `after` says how long that took). */
export type CounterReport = CounterNews &
  ({ readonly phase: 'sent' } | { readonly phase: 'acknowledged'; readonly after: Duration });

/** Reports under way at most. Past it the counter goes on counting, and the next report says the newest values only. */
const MOST_UNACKNOWLEDGED = 100;

export class CounterDevice implements Service {
  readonly name = 'counter-device';
  readonly #config: CounterDeviceConfig;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #session: MqttSession;
  readonly #listeners: ((report: CounterReport) => void)[] = [];
  readonly #reportTopic: string;
  #counter: Counter = INITIAL_COUNTER;
  /** Not sent yet. */
  #news: CounterNews = {};
  /** Nobody has told the present broker what our status is. */
  #isUnconfirmed = true;
  #timer: NodeJS.Timeout | undefined;

  constructor(config: CounterDeviceConfig, tools: { readonly logger: Logger; readonly clock?: Clock }) {
    const { mqttUrl, device } = config;
    this.#config = config;
    this.#logger = tools.logger;
    this.#clock = tools.clock ?? systemClock;
    this.#reportTopic = requestTopic(device, 'twin/update');
    this.#session = new MqttSession(
      {
        url: mqttUrl,
        clientName: `counter-${device.namespace}-${device.name}`,
        topics: [mapperTopic(COUNTER_PROTOCOL, device)],
      },
      {
        logger: tools.logger,
        events: {
          onConnected: () => {
            this.#isUnconfirmed = true;
          },
          onMessage: (_topic, payload) => {
            this.#take(payload);
          },
        },
      },
    );
  }

  /** Resolves while the broker may still be away; counting begins with the first desired status ON. */
  start(signal: AbortSignal): Promise<void> {
    return this.#session.start(signal);
  }

  async stop(deadline: Deadline): Promise<void> {
    this.#fallSilent();
    await this.#session.stop(deadline);
  }

  health(): Health {
    return this.#session.health();
  }

  /** What the counter shows now. */
  get counter(): Counter {
    return this.#counter;
  }

  /** Calls back for every report, when it is sent and when it is acknowledged. The listener must not throw. */
  onReport(listener: (report: CounterReport) => void): void {
    this.#listeners.push(listener);
  }

  #take(payload: Uint8Array): void {
    const message = readMapperMessage(payload);
    switch (message.kind) {
      case 'removed':
        this.#fallSilent();
        this.#isUnconfirmed = true;
        break;
      case 'unreadable':
        this.#logger.warn({ device: this.#config.device }, 'the mapper message of this device is not readable');
        break;
      case 'defined':
        this.#obey(message.desired.get('status'));
        break;
    }
  }

  #obey(desired: string | undefined): void {
    if (desired === undefined) return;
    const wanted = switchNamed(desired);
    if (wanted === undefined) {
      this.#logger.warn({ device: this.#config.device, desired }, 'a counter can be ON or OFF');
      return;
    }
    const before = this.#counter;
    this.#become(switched(before, wanted));
    const hasRestarted = this.#counter !== before && wanted === 'ON';
    if (this.#counter === before && !this.#isUnconfirmed) return;
    this.#isUnconfirmed = false;
    this.#report({ status: wanted, ...(hasRestarted ? { count: 0 } : {}) });
  }

  #fallSilent(): void {
    this.#become(switched(this.#counter, 'OFF'));
    this.#news = {};
  }

  #become(counter: Counter): void {
    this.#counter = counter;
    this.#keepCounting(counter.status === 'ON');
  }

  #keepCounting(isOn: boolean): void {
    if (isOn) {
      this.#timer ??= setInterval(() => {
        this.#counter = stepped(this.#counter);
        this.#report({ count: this.#counter.count });
      }, this.#config.intervalMs ?? 1000);
      return;
    }
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #report(news: CounterNews): void {
    this.#news = { ...this.#news, ...news };
    this.#send();
  }

  #send(): void {
    const news = this.#news;
    if (this.#session.unacknowledged >= MOST_UNACKNOWLEDGED || Object.keys(news).length === 0) return;
    this.#news = {};
    const begun = this.#clock.monotonic();
    const payload = reportPayload(news, randomUUID(), this.#clock.now());
    this.#session.publish(this.#reportTopic, payload, () => {
      this.#tell({ ...news, phase: 'acknowledged', after: ms(this.#clock.monotonic() - begun) });
      this.#send();
    });
    this.#tell({ ...news, phase: 'sent' });
  }

  #tell(report: CounterReport): void {
    for (const listener of this.#listeners) listener(report);
  }
}
