// Topic → what the edge node does with a publication to it. Pure, and asked for every publication of every client.
import type { DeviceId } from '../../model/device.ts';
import { parseDeviceTopic, parseMembershipRequest, type DeviceRequest } from '../../wire/mqtt-topics.ts';

/** `local`: nothing; it is carried between local clients. */
export type Route =
  | { readonly kind: 'device'; readonly device: DeviceId; readonly request: DeviceRequest }
  | { readonly kind: 'membership'; readonly node: string }
  | { readonly kind: 'local' };

const LOCAL: Route = { kind: 'local' };

export function routeOf(topic: string): Route {
  if (!topic.startsWith('$hw/events/')) return LOCAL;
  const request = parseDeviceTopic(topic);
  if (request !== undefined) return { kind: 'device', ...request };
  const node = parseMembershipRequest(topic);
  return node === undefined ? LOCAL : { kind: 'membership', node };
}
