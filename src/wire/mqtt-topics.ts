// KubeEdge's topics, built and parsed here and nowhere else. Both address forms of devices are served: `<ns>/<device>` (KubeEdge
// ≥ 1.17) and the one-level `<device>` of older clients and all tutorials, which means namespace `default`.
import { parseDeviceKey, type DeviceId } from '../model/device.ts';

export const DEVICE_ROOT = '$hw/events/device';
const DEFAULT_NAMESPACE = 'default';

/** Names in Kubernetes are no longer. A longer level names nothing, and the answer's topic could be longer than MQTT allows. */
const LONGEST_NAME = 253;

const NODE_ROOT = '$hw/events/node';

const DATA_ROOT = '$ke/events';

/** Where KubeEdge answers updates that it cannot read, whatever device they are of. */
export const ANONYMOUS_RESULT_TOPIC = `${DEVICE_ROOT}//twin/update/result`;

export const DEVICE_REQUESTS = ['twin/update', 'twin/get', 'state/update'] as const;
export type DeviceRequest = (typeof DEVICE_REQUESTS)[number];

export const DEVICE_ANSWERS = [
  'twin/update/result',
  'twin/update/document',
  'twin/update/delta',
  'twin/get/result',
  'state/update/result',
] as const;
export type DeviceAnswer = (typeof DEVICE_ANSWERS)[number];

export interface DeviceTopic {
  readonly device: DeviceId;
  readonly request: DeviceRequest;
}

/** What a client asks of which device; `undefined` for every other topic. */
export function parseDeviceTopic(topic: string): DeviceTopic | undefined {
  if (!topic.startsWith(`${DEVICE_ROOT}/`)) return undefined;
  const levels = topic.slice(DEVICE_ROOT.length + 1).split('/');
  const request = levels.slice(-2).join('/');
  const address = levels.slice(0, -2);
  if (!isDeviceRequest(request)) return undefined;
  const device = deviceAt(address);
  return device === undefined ? undefined : { device, request };
}

function deviceAt([first = '', second, ...more]: readonly string[]): DeviceId | undefined {
  if (!isName(first) || more.length > 0) return undefined;
  if (second !== undefined && !isName(second)) return undefined;
  return second === undefined ? { namespace: DEFAULT_NAMESPACE, name: first } : { namespace: first, name: second };
}

const isName = (level: string): boolean => level !== '' && Buffer.byteLength(level) <= LONGEST_NAME;

/**
 * The device whose data, past its twin, a mapper publishes. Both forms that KubeEdge documents, `…/device/<device>/data/update`
 * and `…/<device>/device/data/update`, each in both address forms.
 */
export function parseDataTopic(topic: string): DeviceId | undefined {
  if (!topic.startsWith(`${DATA_ROOT}/`) || !topic.endsWith('/data/update')) return undefined;
  const levels = topic.slice(DATA_ROOT.length + 1, -'/data/update'.length).split('/');
  if (levels[0] === 'device' && levels.length > 1) return deviceAt(levels.slice(1));
  return levels.at(-1) === 'device' ? deviceAt(levels.slice(0, -1)) : undefined;
}

function isDeviceRequest(text: string): text is DeviceRequest {
  return (DEVICE_REQUESTS as readonly string[]).includes(text);
}

/** The topics an answer goes to: one, or both address forms for devices in `default`. */
export function answerTopics(device: DeviceId, answer: DeviceAnswer): readonly string[] {
  const twoLevel = `${DEVICE_ROOT}/${device.namespace}/${device.name}/${answer}`;
  return device.namespace === DEFAULT_NAMESPACE ? [twoLevel, `${DEVICE_ROOT}/${device.name}/${answer}`] : [twoLevel];
}

export function requestTopic(device: DeviceId, request: DeviceRequest): string {
  return `${DEVICE_ROOT}/${device.namespace}/${device.name}/${request}`;
}

/** Retained: what a mapper must know of a device, its definition and desired values. */
export function mapperTopic(protocol: string, device: DeviceId): string {
  return `$skerry/mapper/${protocol}/${device.namespace}/${device.name}`;
}

/** What goes to the cloud as it is, whoever publishes it. */
export const UPLOAD_TOPICS = ['$hw/events/upload/#', 'SYS/dis/upload_records'] as const;

/** Which devices a node has: asked, answered, and said whenever it changes. */
export const MEMBERSHIP_TOPICS = ['get', 'get/result', 'updated'] as const;

export function membershipTopic(node: string, what: (typeof MEMBERSHIP_TOPICS)[number]): string {
  return `${NODE_ROOT}/${node}/membership/${what}`;
}

/** The node whose devices a client asks for; `undefined` for every other topic. */
export function parseMembershipRequest(topic: string): string | undefined {
  if (!topic.startsWith(`${NODE_ROOT}/`)) return undefined;
  const [node = '', ...rest] = topic.slice(NODE_ROOT.length + 1).split('/');
  return isName(node) && rest.join('/') === 'membership/get' ? node : undefined;
}

/** Where a payload that breaks the contract is put, with the reason. */
export function rejectedTopic(device: DeviceId): string {
  return `$skerry/rejected/${device.namespace}/${device.name}`;
}

/** The same for what concerns no device. */
export function rejectedOfNodeTopic(node: string): string {
  return `$skerry/rejected/${node}`;
}

/**
 * All topics of the device that is called `<namespace>/<name>`, or `<name>` in `default`, as filters: those it may publish to, and
 * those it may hear. None matches a topic of another device, whatever it is called: `a/twin/#` would be all of `twin` in the
 * namespace `a`, and of `a` in `default` as well.
 */
export function deviceTopics(key: string): {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
} {
  const device = parseDeviceKey(key);
  const twoLevel = `${device.namespace}/${device.name}`;
  const forms = device.namespace === DEFAULT_NAMESPACE ? [twoLevel, device.name] : [twoLevel];
  const requests = forms.flatMap((form) => DEVICE_REQUESTS.map((request) => `${DEVICE_ROOT}/${form}/${request}`));
  const data = forms.flatMap((form) => [
    `${DATA_ROOT}/device/${form}/data/update`,
    `${DATA_ROOT}/${form}/device/data/update`,
  ]);
  return {
    publish: [...requests, ...data.filter((topic) => isSame(parseDataTopic(topic), device))],
    subscribe: [...requests.map((topic) => `${topic}/#`), mapperTopic('+', device), rejectedTopic(device)],
  };
}

const isSame = (one: DeviceId | undefined, other: DeviceId): boolean =>
  one?.namespace === other.namespace && one.name === other.name;
