// NATS subjects, streams and buckets, built and parsed here and nowhere else. A Kubernetes name may hold `.`, which separates
// tokens in a subject; it is written `_`, which such names never hold.
import type { DeviceId } from '../model/device.ts';

export const UP_STREAM = 'skerry-up';
export const STATE_STREAM = 'skerry-state';
export const POISON_STREAM = 'skerry-poison';
export const DESIRED_BUCKET = 'skerry-desired';
export const CLAIM_BUCKET = 'skerry-claims';

export const DESIRED_STREAM = `KV_${DESIRED_BUCKET}`;
export const CLAIM_STREAM = `KV_${CLAIM_BUCKET}`;

export const UP_SUBJECTS = 'skerry.*.up.>';
export const STATE_SUBJECTS = 'skerry.*.state.>';
export const HEARTBEAT_SUBJECTS = 'skerry.*.heartbeat';

/** By the stream that the message was in: a token that no node's own subjects have in its place, be the node called `poison`. */
export const POISON_SUBJECTS = [UP_STREAM, STATE_STREAM].map((stream) => `skerry.poison.${stream}.>`);

/**
 * What a chain of a device carries: its values, what happened to it, values of which history may be lost first, or data that it
 * publishes past its twin.
 */
export const DEVICE_CLASSES = ['twin', 'event', 'telemetry', 'data'] as const;
export type DeviceClass = (typeof DEVICE_CLASSES)[number];

/** `message`: what is published on the node for programs in the cloud. */
export const CHAIN_CLASSES = [...DEVICE_CLASSES, 'message'] as const;
export type ChainClass = (typeof CHAIN_CLASSES)[number];

const token = (name: string): string => name.replaceAll('.', '_');
const untoken = (text: string): string => text.replaceAll('_', '.');

/** The subject of a device's chain on a node. */
export function chainSubject(node: string, chainClass: DeviceClass, device: DeviceId): string {
  return `skerry.${token(node)}.up.${chainClass}.${token(device.namespace)}.${token(device.name)}`;
}

/** The subject of the one chain that is of no device. */
export function messageSubject(node: string): string {
  return `skerry.${token(node)}.up.message`;
}

/** The class in a chain's subject. What is of no known class counts as the class that is dropped last. */
export function classOfChain(chain: string): ChainClass {
  const word = chain.split('.', 4)[3];
  return CHAIN_CLASSES.find((known) => known === word) ?? 'twin';
}

export function stateSubject(node: string, device: DeviceId): string {
  return `skerry.${token(node)}.state.${token(device.namespace)}.${token(device.name)}`;
}

export function heartbeatSubject(node: string): string {
  return `skerry.${token(node)}.heartbeat`;
}

/** Where a message that no retry will help is kept; one subject for each message. */
export function poisonSubject(stream: string, node: string, sequence: number): string {
  return `skerry.poison.${stream}.${token(node)}.${sequence}`;
}

/** The node that published on a `skerry.<node>.…` subject. */
export function nodeOfSubject(subject: string): string | undefined {
  const [root, node] = subject.split('.', 2);
  return root === 'skerry' && node !== undefined ? untoken(node) : undefined;
}

/** Key of one desired object in the bucket. */
export function desiredKey(node: string, kind: 'device', id: DeviceId): string {
  return `${token(node)}.${kind}.${token(id.namespace)}.${token(id.name)}`;
}

/** Key of a node's index in the bucket. `_index` cannot be a kind. */
export function indexKey(node: string): string {
  return `${token(node)}._index`;
}

/** The node in whose part of the desired bucket a key lies. */
export function nodeOfKey(key: string): string {
  return untoken(key.split('.', 1)[0] ?? '');
}

export function claimKey(node: string): string {
  return token(node);
}

/** The core subscription that tells a node that somebody wrote its claim. */
export function claimHints(node: string): string {
  return bucketSubject(CLAIM_BUCKET, claimKey(node));
}

export function bucketSubject(bucket: string, key: string): string {
  return `$KV.${bucket}.${key}`;
}

/** The key within a bucket that a `$KV.<bucket>.<key>` subject names. */
export function keyOfBucketSubject(bucket: string, subject: string): string | undefined {
  const prefix = `$KV.${bucket}.`;
  return subject.startsWith(prefix) ? subject.slice(prefix.length) : undefined;
}

/** The core subscription that tells a node what changed in its part of the desired bucket. */
export function desiredHints(node: string): string {
  return bucketSubject(DESIRED_BUCKET, `${token(node)}.>`);
}

export function inboxPrefix(node: string): string {
  return `_INBOX_${token(node)}`;
}

/** What a node's NATS user may do and nothing else (design: the way down, permissions). */
export function nodePermissions(node: string): {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
} {
  const own = token(node);
  const directGet = (stream: string, subjects: string): string => `$JS.API.DIRECT.GET.${stream}.${subjects}`;
  return {
    publish: [
      `skerry.${own}.up.>`,
      `skerry.${own}.state.>`,
      `skerry.${own}.heartbeat`,
      bucketSubject(CLAIM_BUCKET, own),
      directGet(UP_STREAM, `skerry.${own}.up.>`),
      directGet(CLAIM_STREAM, bucketSubject(CLAIM_BUCKET, own)),
      directGet(DESIRED_STREAM, bucketSubject(DESIRED_BUCKET, `${own}.>`)),
    ],
    subscribe: [`${inboxPrefix(node)}.>`, desiredHints(node), claimHints(node)],
  };
}

const CONSUMED = [UP_STREAM, STATE_STREAM];
const STREAMS = [UP_STREAM, STATE_STREAM, POISON_STREAM, DESIRED_STREAM, CLAIM_STREAM];

export const HUB_INBOX = '_INBOX__hub';

/** What the hub's own user may do: keep the streams, consume reports, write what nodes shall do. It cannot speak as a node. */
export const HUB_PERMISSIONS = {
  publish: [
    '$JS.API.INFO',
    '$JS.API.STREAM.LIST',
    ...STREAMS.flatMap((stream) => [
      ...['CREATE', 'UPDATE', 'INFO', 'MSG.GET'].map((verb) => `$JS.API.STREAM.${verb}.${stream}`),
      `$JS.API.DIRECT.GET.${stream}`,
      `$JS.API.DIRECT.GET.${stream}.>`,
    ]),
    ...CONSUMED.flatMap((stream) => [
      `$JS.API.CONSUMER.LIST.${stream}`,
      ...['CREATE', 'DURABLE.CREATE', 'INFO', 'DELETE', 'MSG.NEXT'].map(
        (verb) => `$JS.API.CONSUMER.${verb}.${stream}.*`,
      ),
      `$JS.ACK.${stream}.>`,
    ]),
    ...[DESIRED_BUCKET, CLAIM_BUCKET].map((bucket) => bucketSubject(bucket, '>')),
    ...POISON_SUBJECTS,
  ],
  subscribe: [HEARTBEAT_SUBJECTS, `${HUB_INBOX}.>`],
} as const;

/** What a user that only listens may do: hear what nodes report, and read what was set aside. Nothing that changes anything. */
export const VIEWER_PERMISSIONS = {
  publish: ['_INBOX__viewer.>', `$JS.API.DIRECT.GET.${POISON_STREAM}`, `$JS.API.STREAM.INFO.${POISON_STREAM}`],
  subscribe: [UP_SUBJECTS, STATE_SUBJECTS, ...POISON_SUBJECTS, '_INBOX__viewer.>'],
} as const;
