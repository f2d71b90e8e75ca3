// Topic → what the edge node does with a publication to it. Pure, and asked for every publication of every client.
import type { DeviceId } from '../../model/device.ts';
import {
  parseDataTopic,
  parseDeviceTopic,
  parseMembershipRequest,
  UPLOAD_TOPICS,
  type DeviceRequest,
} from '../../wire/mqtt-topics.ts';
import { matcherOf } from '../../wire/topic-filters.ts';

/** `upload`: goes to the cloud as it is, told of the device if there is one. `local`: is carried between local clients. */
export type Route =
  | { readonly kind: 'device'; readonly device: DeviceId; readonly request: DeviceRequest }
  | { readonly kind: 'membership'; readonly node: string }
  | { readonly kind: 'upload'; readonly device?: DeviceId }
  | { readonly kind: 'local' };

const LOCAL: Route = { kind: 'local' };
const UPLOAD: Route = { kind: 'upload' };

/** @param uploads filters of topics that go to the cloud besides KubeEdge's own */
export function routesWith(uploads: readonly string[]): (topic: string) => Route {
  const isUpload = matcherOf([...UPLOAD_TOPICS, ...uploads]);
  return (topic) => requestOf(topic) ?? (isUpload(topic) ? UPLOAD : LOCAL);
}

function requestOf(topic: string): Route | undefined {
  if (!topic.startsWith('$')) return undefined;
  const request = parseDeviceTopic(topic);
  if (request !== undefined) return { kind: 'device', ...request };
  const node = parseMembershipRequest(topic);
  if (node !== undefined) return { kind: 'membership', node };
  const device = parseDataTopic(topic);
  return device === undefined ? undefined : { kind: 'upload', device };
}
