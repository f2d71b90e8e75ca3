// Where a twin is read and set from the command line: a Kubernetes API, or an edge node itself.
import type { DeviceId } from '../../model/device.ts';

export interface ShownProperty {
  readonly property: string;
  readonly desired?: string;
  /** What stands at the node, over what the cloud wants. */
  readonly override?: string;
  readonly reported?: string;
  /** When it was reported, milliseconds since the epoch. */
  readonly at?: number;
}

export interface ShownTwin {
  readonly device: string;
  readonly state?: string;
  readonly properties: readonly ShownProperty[];
}

export interface SetOutcome {
  /** A value that stood at the node, over what the cloud wanted. */
  readonly override?: string;
  /** The cloud's word was this already, so that what stands at the node goes on standing. */
  readonly isRepeated?: boolean;
}

export interface TwinSource {
  /** Throws DEVICE_NOT_FOUND. */
  get(device: DeviceId): Promise<ShownTwin>;
  /** Hands over the twin now and after every change, until the signal. */
  watch(device: DeviceId, onTwin: (twin: ShownTwin) => void, signal: AbortSignal): Promise<void>;
  /** Throws PROPERTY_NOT_FOUND or what the other side refuses. */
  setDesired(device: DeviceId, property: string, value: string): Promise<SetOutcome>;
  close(): void;
}
