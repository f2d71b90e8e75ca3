// How often each device was refused something since it was last told: one fact a minute and device says it, however many there were.
// Pure.
import { seconds } from '../../kit/units.ts';
import { deviceKey, type DeviceId } from '../../model/device.ts';
import type { RejectedChange } from '../../model/fact.ts';

export const TOLD_EVERY = seconds(60);
const LONGEST_REASON = 400;

interface Moment {
  /** By a clock that is never set. */
  readonly monotonic: number;
  readonly wall: number;
}

interface Counted {
  readonly device: DeviceId;
  untold: RejectedChange | undefined;
  toldAt: number;
}

export interface Untold {
  readonly device: DeviceId;
  readonly change: RejectedChange;
}

export class RejectTally {
  readonly #devices = new Map<string, Counted>();

  add(device: DeviceId, reason: string, at: Moment): void {
    const counted = this.#devices.get(deviceKey(device)) ?? {
      device,
      untold: undefined,
      toldAt: Number.NEGATIVE_INFINITY,
    };
    this.#devices.set(deviceKey(device), counted);
    const { count = 0, since = at.wall } = counted.untold ?? {};
    counted.untold = { kind: 'rejected', count: count + 1, reason: shortened(reason), since, until: at.wall };
  }

  /** What may be told now; from here on it counts as told. */
  take(monotonic: number): readonly Untold[] {
    const taken: Untold[] = [];
    for (const [key, counted] of this.#devices) {
      const { device, untold, toldAt } = counted;
      if (monotonic - toldAt < TOLD_EVERY) continue;
      if (untold === undefined) this.#devices.delete(key);
      else taken.push({ device, change: untold });
      counted.untold = undefined;
      counted.toldAt = monotonic;
    }
    return taken;
  }

  /** It could not be told: it is due at once, with what has come meanwhile. */
  putBack({ device, change }: Untold): void {
    const { untold } = this.#devices.get(deviceKey(device)) ?? {};
    const both = untold === undefined ? change : { ...untold, count: untold.count + change.count, since: change.since };
    this.#devices.set(deviceKey(device), { device, untold: both, toldAt: Number.NEGATIVE_INFINITY });
  }
}

const shortened = (reason: string): string =>
  reason.length <= LONGEST_REASON ? reason : `${reason.slice(0, LONGEST_REASON - 1)}…`;
