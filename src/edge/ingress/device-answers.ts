import type { DeviceId } from '../../model/device.ts';
import type { PropertyUpdate } from '../../model/property-update.ts';
import type { Twin } from '../../model/twin.ts';
import type { DeviceAnswer } from '../../wire/mqtt-topics.ts';

/** What a request gets back over MQTT. The twins in it are stored: answers never run ahead of the disk. */
export interface DeviceAnswers {
  updated(update: TwinUpdated): void;
  refused(refusal: Refusal): void;
  twinRead(device: DeviceId, twin: Twin, eventId: string): void;
  stateUpdated(twin: Twin): void;
}

export interface TwinUpdated {
  readonly before: Twin;
  readonly after: Twin;
  readonly eventId: string;
  readonly updates: readonly PropertyUpdate[];
}

export interface Refusal {
  readonly device: DeviceId;
  readonly answer: DeviceAnswer;
  readonly eventId: string;
  readonly code: 400 | 404;
  readonly reason: string;
  /** The payload as it came, shortened. */
  readonly payload: string;
}
