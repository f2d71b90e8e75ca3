// KubeEdge's payloads of membership, field by field and in its order (reference: kubeedge-contract, sections 1.5 and 1.11). Pure.
import { deviceKey, type DeviceDefinition } from '../../model/device.ts';
import type { Twin } from '../../model/twin.ts';
import { lastOnlineOf } from './twin-payloads.ts';

interface Head {
  readonly eventId: string;
  readonly now: number;
}

/** A device as KubeEdge clients read it; what is empty is left out. */
export interface MsgDevice {
  readonly id: string;
  readonly name: string;
  readonly description?: string;
  readonly state?: string;
  readonly last_online?: string;
}

export function msgDevice(
  { namespace, name, description = '' }: DeviceDefinition,
  twin?: Pick<Twin, 'state'>,
): MsgDevice {
  const lastOnline = twin === undefined ? undefined : lastOnlineOf(twin);
  return {
    id: deviceKey({ namespace, name }),
    name,
    ...(description === '' ? {} : { description }),
    ...(twin?.state === undefined ? {} : { state: twin.state.state }),
    ...(lastOnline === undefined ? {} : { last_online: lastOnline }),
  };
}

/** All devices of the node, in the order of their ids. */
export function membershipPayload({ eventId, now }: Head, devices: readonly MsgDevice[]): string {
  const ordered = [...devices].sort((a, b) => (a.id < b.id ? -1 : 1));
  return JSON.stringify({ event_id: eventId, timestamp: now, devices: ordered });
}

/** One device came or left: KubeEdge says each in a message of its own, with `null` for what did not happen. */
export function membershipUpdatedPayload(
  { eventId, now }: Head,
  { added, removed }: { readonly added?: MsgDevice; readonly removed?: MsgDevice },
): string {
  return JSON.stringify({
    event_id: eventId,
    timestamp: now,
    added_devices: added === undefined ? null : [added],
    removed_devices: removed === undefined ? null : [removed],
  });
}
