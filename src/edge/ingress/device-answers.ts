import type { DeviceDefinition, DeviceId } from '../../model/device.ts';
import type { Touched } from '../../model/property-update.ts';
import type { Twin } from '../../model/twin.ts';

/** What a request gets back over MQTT. The twins in it are stored: answers never run ahead of the disk. */
export interface DeviceAnswers {
  updated(update: TwinUpdated): void;
  refused(refusal: Refusal): void;
  twinRead(device: DeviceId, twin: Twin, eventId: string): void;
  stateUpdated(twin: Twin): void;
  membershipRead(devices: readonly Member[], eventId: string): void;
}

/** A device of this node. */
export interface Member {
  readonly definition: DeviceDefinition;
  readonly twin: Twin;
}

export interface TwinUpdated {
  readonly before: Twin;
  readonly after: Twin;
  readonly eventId: string;
  readonly touched: readonly Touched[];
}

export interface Refusal {
  /** Where its sender may wait for the answer. */
  readonly answerTopics: readonly string[];
  /** Where KubeEdge answers what it cannot read: the topic names no device, and the answer no request. */
  readonly anonymousTopic?: string;
  /** Where everybody may see what was refused. */
  readonly rejectedTopic: string;
  readonly eventId: string;
  readonly code: 400 | 404;
  readonly reason: string;
  /** The payload as it came, shortened. */
  readonly payload: string;
}
