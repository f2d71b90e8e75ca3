import type { DeviceDefinition, DeviceId } from '../../model/device.ts';
import type { Touched } from '../../model/property-update.ts';
import type { Twin } from '../../model/twin.ts';

/** What a request gets back over MQTT. The twins in it are stored: answers never run ahead of the disk. */
export interface DeviceAnswers {
  updated(update: TwinUpdated): void;
  /** Somebody at this node ended its own wish. */
  desiredChanged(before: Twin, after: Twin): void;
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

/** What was wrong: it could not be read, broke the rules for values, was too large to be sent, or was about nobody of this node. */
export const REFUSAL_KINDS = ['payload', 'value', 'size', 'unknown'] as const;
export type RefusalKind = (typeof REFUSAL_KINDS)[number];

export interface Refusal {
  readonly kind: RefusalKind;
  /** Whose publication it was. */
  readonly device?: DeviceId;
  readonly topic: string;
  /** Where its sender may wait for the answer. */
  readonly answerTopics: readonly string[];
  /** Where KubeEdge answers what it cannot read: the topic names no device, and the answer no request. */
  readonly anonymousTopic?: string;
  /** Where everybody may see what was refused. */
  readonly rejectedTopic: string;
  readonly eventId: string;
  readonly code: 400 | 404;
  readonly reason: string;
  readonly original: Original;
}

/** The beginning of a payload as it came: text, or base64 of what is none. */
export interface Original {
  readonly payload?: string;
  readonly payload_base64?: string;
  readonly truncated?: true;
}
