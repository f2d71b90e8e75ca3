// All devices of a run together: as many publications a second as was asked for, and what was acknowledged of them.
import { Deadline } from '../../kit/deadline.ts';
import { systemClock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/logger.ts';
import { seconds } from '../../kit/units.ts';
import type { DeviceId } from '../../model/device.ts';
import { NumberedPublisher } from '../../../simulator/numbers/numbered-publisher.ts';
import type { Published } from './device-tally.ts';
import { NumberSet } from './number-set.ts';
import { devicesOf, edgeName } from './site-devices.ts';

const DEVICES_PER_SESSION = 3;
const TICK_MS = 20;

export class Publishing {
  readonly #publishers: readonly NumberedPublisher[];
  readonly #acknowledged = new Map<string, NumberSet>();
  #pace: NodeJS.Timeout | undefined;
  #turn = 0;
  #published = 0;

  constructor(mqttUrls: readonly string[], devices: number, { logger }: { readonly logger: Logger }) {
    const onAcknowledged = ({ name }: DeviceId, number: number): void => {
      this.#acknowledgedOf(name).add(number);
    };
    this.#publishers = mqttUrls.flatMap((mqttUrl, edge) =>
      sessionsOf(devicesOf(edge, devices)).map(
        ({ own, resendsBy }) =>
          new NumberedPublisher(
            { mqttUrl, clientName: `chaos-${edgeName(edge)}-${resendsBy}`, devices: own, resendsBy },
            { onAcknowledged, logger, clock: systemClock },
          ),
      ),
    );
  }

  get published(): number {
    return this.#published;
  }

  get acknowledged(): number {
    return [...this.#acknowledged.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** Published, and neither acknowledged nor given up by the MQTT client. */
  get unacknowledged(): number {
    return this.#publishers.reduce((sum, { unacknowledged }) => sum + unacknowledged, 0);
  }

  /** By the device's name. */
  result(): ReadonlyMap<string, Published> {
    return new Map(
      this.#publishers.flatMap((publisher) =>
        publisher.devices.map(({ name }, place) => [
          name,
          { acknowledged: this.#acknowledgedOf(name), newest: publisher.newestOf(place) },
        ]),
      ),
    );
  }

  async start(perSecond: number, signal: AbortSignal): Promise<void> {
    for (const publisher of this.#publishers) await publisher.start(signal);
    let due = 0;
    let before = performance.now();
    this.#pace = setInterval(() => {
      const now = performance.now();
      // What a stalled machine could not say is not made up for in a burst.
      due = Math.min(due + (perSecond * (now - before)) / 1000, perSecond);
      before = now;
      while (due >= 1 && this.#publishOne()) due -= 1;
    }, TICK_MS);
  }

  /** No more news; what is unacknowledged goes on being sent. */
  fallSilent(): void {
    clearInterval(this.#pace);
  }

  async stop(): Promise<void> {
    this.fallSilent();
    await Promise.all(this.#publishers.map((publisher) => publisher.stop(Deadline.after(seconds(1)))));
  }

  /** By the next session that takes one. */
  #publishOne(): boolean {
    for (let tried = 0; tried < this.#publishers.length; tried += 1) {
      this.#turn = (this.#turn + 1) % this.#publishers.length;
      if (this.#publishers[this.#turn]?.publishNext() !== true) continue;
      this.#published += 1;
      return true;
    }
    return false;
  }

  #acknowledgedOf(name: string): NumberSet {
    const known = this.#acknowledged.get(name);
    if (known !== undefined) return known;
    const made = new NumberSet();
    this.#acknowledged.set(name, made);
    return made;
  }
}

interface SessionShape {
  readonly own: readonly DeviceId[];
  readonly resendsBy: 'event_id' | 'dup';
}

/** One half of the devices names each request, the other half relies on DUP. */
function sessionsOf(devices: readonly DeviceId[]): readonly SessionShape[] {
  const half = Math.ceil(devices.length / 2);
  return [
    ...inSessions(devices.slice(0, half)).map((own) => ({ own, resendsBy: 'event_id' as const })),
    ...inSessions(devices.slice(half)).map((own) => ({ own, resendsBy: 'dup' as const })),
  ];
}

function inSessions(devices: readonly DeviceId[]): readonly (readonly DeviceId[])[] {
  const count = Math.ceil(devices.length / DEVICES_PER_SESSION);
  return Array.from({ length: count }, (_, place) =>
    devices.slice(place * DEVICES_PER_SESSION, (place + 1) * DEVICES_PER_SESSION),
  );
}
