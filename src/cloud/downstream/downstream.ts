// Devices and DeviceModels in Kubernetes → what each node should hold, in the desired bucket. Reacts to every watched change at
// once. Writes no index before all that Kubernetes has is known, because what an index leaves out the node removes.
import { backoffDelay } from '../../kit/backoff.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Deadline } from '../../kit/deadline.ts';
import { messageOf } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { sleep } from '../../kit/sleep.ts';
import { ms, seconds } from '../../kit/units.ts';
import type { NatsLink } from '../../nats/nats-link.ts';
import { encodeDefinition } from '../../wire/desired.ts';
import { desiredKey, indexKey, nodeOfKey } from '../../wire/nats-subjects.ts';
import type { DeviceModelWatch, DeviceWatch } from '../kubernetes/device-watch.ts';
import type { EventRecorder } from '../kubernetes/event-recorder.ts';
import type { ResourceEvent } from '../kubernetes/resource-cache.ts';
import {
  deviceIdOf,
  modelKeyOf,
  objectKey,
  type DeviceModelResource,
  type DeviceResource,
} from '../kubernetes/resources.ts';
import type { StatusWriter } from '../kubernetes/status-writer.ts';
import { acceptedCondition, acceptedStatus } from './acceptance.ts';
import type { Forgeries } from '../forgeries.ts';
import { DesiredBucket } from './desired-bucket.ts';
import type { Wanted } from './desired-diff.ts';
import { effectiveDevice, nextBinding } from './effective-device.ts';
import { NodeDesired } from './node-desired.ts';
import { ReconcileQueue } from '../reconcile-queue.ts';

export interface DownstreamTools {
  readonly link: NatsLink;
  readonly streams: { onReady(listener: () => void): void };
  readonly devices: DeviceWatch;
  readonly models: DeviceModelWatch;
  readonly writer: Pick<StatusWriter, 'update'>;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly forgeries: Forgeries;
  readonly logger: Logger;
}

const RETRY = { first: ms(50), most: seconds(5) };

export class Downstream implements Service {
  readonly name = 'downstream';
  readonly #tools: DownstreamTools;
  readonly #bucket: DesiredBucket;
  readonly #queue: ReconcileQueue;
  readonly #nodes = new Map<string, NodeDesired>();
  /** Device → the node whose desired set it is in. */
  readonly #places = new Map<string, string>();
  /** Model → the Devices that name it. */
  readonly #users = new Map<string, Set<string>>();
  readonly #stopping = new AbortController();
  #reading: Promise<void> = Promise.resolve();
  #isBucketRead = false;
  #bucketId = '';

  constructor(tools: DownstreamTools) {
    this.#tools = tools;
    this.#bucket = new DesiredBucket(tools);
    this.#queue = new ReconcileQueue(tools);
    tools.devices.onEvent((event) => this.#onDevice(event));
    tools.models.onEvent((event) => this.#onModel(event));
    tools.streams.onReady(() => {
      this.#reading = this.#reading.then(() => this.#readBucket());
    });
    tools.link.onDisconnected(() => {
      this.#isBucketRead = false;
      this.#queue.pause();
    });
  }

  start(_signal: AbortSignal): Promise<void> {
    return Promise.resolve();
  }

  async stop(deadline: Deadline): Promise<void> {
    this.#stopping.abort();
    await this.#queue.close(deadline);
    await deadline.wait(this.#reading, undefined);
  }

  health(): Health {
    if (!this.#isKubernetesKnown())
      return { state: 'degraded', reason: 'waits for the lists of Devices and DeviceModels' };
    if (!this.#isBucketRead) return { state: 'degraded', reason: 'waits for the desired bucket' };
    const reason = this.#queue.reason ?? this.#heldBack();
    return reason === undefined ? HEALTHY : { state: 'degraded', reason };
  }

  #heldBack(): string | undefined {
    const nodes = [...this.#nodes.values()].filter(({ isHeldBack }) => isHeldBack).map(({ node }) => node);
    if (nodes[0] === undefined) return undefined;
    return `most objects of ${nodes.length} nodes would go at once (${nodes[0]} among them): waits for a second complete list of Devices`;
  }

  /** The generation of the index that this node should reach; 0 while unknown. */
  generationOf(node: string): number {
    return this.#nodes.get(node)?.generation ?? 0;
  }

  /** The node exists: it gets an index, were it an empty one, and of a generation above the one that it names. */
  noteNode(node: string, indexAbove?: number): void {
    const isNew = !this.#nodes.has(node);
    const desired = this.#nodeOf(node);
    const isAsked = indexAbove !== undefined && desired.mustExceed(indexAbove);
    if (isNew || isAsked) this.#queue.add(desired);
  }

  #isKubernetesKnown(): boolean {
    return this.#tools.devices.lists > 0 && this.#tools.models.lists > 0;
  }

  #nodeOf(node: string): NodeDesired {
    const known = this.#nodes.get(node);
    if (known !== undefined) return known;
    const { logger, devices } = this.#tools;
    const made = new NodeDesired(node, {
      bucket: this.#bucket,
      logger,
      lists: () => devices.lists,
      lookAgain: () => devices.relist(),
    });
    made.forget(this.#bucketId, []);
    this.#nodes.set(node, made);
    return made;
  }

  /** The bucket may have been lost or rolled back while there was no link: nothing known about it counts any more. */
  async #readBucket(): Promise<void> {
    const { link, logger } = this.#tools;
    this.#queue.pause();
    for (let attempt = 0; link.connected && !this.#stopping.signal.aborted; attempt += 1) {
      try {
        this.#forgetAll(await this.#bucket.identity(), groupByNode(await this.#bucket.keys()));
        this.#openWhenKnown();
        return;
      } catch (error) {
        logger.debug({ reason: messageOf(error) }, 'the desired bucket cannot be read yet');
        await sleep(backoffDelay(RETRY, attempt), this.#stopping.signal);
      }
    }
  }

  #forgetAll(bucketId: string, keys: ReadonlyMap<string, readonly string[]>): void {
    this.#bucketId = bucketId;
    for (const node of keys.keys()) this.#nodeOf(node);
    for (const node of this.#nodes.values()) {
      node.forget(bucketId, keys.get(node.node) ?? []);
      this.#queue.add(node);
    }
    this.#isBucketRead = true;
  }

  #openWhenKnown(): void {
    if (this.#isBucketRead && this.#isKubernetesKnown() && !this.#stopping.signal.aborted) this.#queue.open();
  }

  #onDevice(event: ResourceEvent<DeviceResource>): void {
    if (event.kind === 'synced') {
      this.#onSynced();
      return;
    }
    const key = objectKey(event.object);
    if (event.kind === 'gone') {
      this.#place(event.object, '', undefined);
      this.#users.get(modelKeyOf(event.object))?.delete(key);
      return;
    }
    if (event.before !== undefined) this.#users.get(modelKeyOf(event.before))?.delete(key);
    this.#usersOf(modelKeyOf(event.object)).add(key);
    if (this.#isKubernetesKnown() && isNews(event.object, event.before)) this.#evaluate(event.object);
  }

  #onModel(event: ResourceEvent<DeviceModelResource>): void {
    if (event.kind === 'synced') {
      this.#onSynced();
      return;
    }
    if (!this.#isKubernetesKnown()) return;
    for (const key of this.#users.get(objectKey(event.object)) ?? []) {
      const device = this.#tools.devices.get(key);
      if (device !== undefined) this.#evaluate(device);
    }
  }

  #onSynced(): void {
    if (!this.#isKubernetesKnown()) return;
    for (const device of this.#tools.devices.values()) this.#evaluate(device);
    for (const node of this.#nodes.values()) if (node.isHeldBack) this.#queue.add(node);
    this.#openWhenKnown();
  }

  /** The binding is in Kubernetes before the definition is sent; the answer to that write brings us here again. */
  #evaluate(device: DeviceResource): void {
    const model = this.#tools.models.get(modelKeyOf(device));
    if (acceptedStatus(device, model, 0) !== device.status) void this.#writeStatus(device);
    const nodeName = nextBinding(device) === 'unchanged' ? (device.spec.nodeName ?? '') : '';
    this.#place(device, nodeName, wantedFor(device, model));
  }

  async #writeStatus(device: DeviceResource): Promise<void> {
    const { writer, models, clock, events } = this.#tools;
    const outcome = await writer.update(
      objectKey(device),
      (status, current) =>
        acceptedStatus({ ...current, status }, models.get(modelKeyOf(current)), clock.now()) ?? status,
      'now',
    );
    const current = this.#tools.devices.get(objectKey(device));
    const condition = current === undefined ? undefined : acceptedCondition(current);
    if (outcome !== 'written' || current === undefined || condition?.status !== 'False') return;
    if (acceptedCondition(device)?.message === condition.message) return;
    await events.record(current, { type: 'Warning', reason: condition.reason, message: condition.message });
  }

  #place(device: DeviceResource, nodeName: string, wanted: Wanted | undefined): void {
    const key = objectKey(device);
    const before = this.#places.get(key);
    if (before !== undefined && before !== nodeName) this.#want(before, device, undefined);
    if (nodeName === '') {
      this.#places.delete(key);
      return;
    }
    this.#places.set(key, nodeName);
    this.#want(nodeName, device, wanted);
  }

  #want(nodeName: string, device: DeviceResource, wanted: Wanted | undefined): void {
    const node = this.#nodeOf(nodeName);
    node.want(desiredKey(nodeName, 'device', deviceIdOf(device)), wanted);
    this.#queue.add(node);
  }

  #usersOf(model: string): Set<string> {
    const known = this.#users.get(model);
    if (known !== undefined) return known;
    const made = new Set<string>();
    this.#users.set(model, made);
    return made;
  }
}

function wantedFor(device: DeviceResource, model: DeviceModelResource | undefined): Wanted {
  const effective = effectiveDevice(device, model);
  if (effective.kind === 'complete') return { kind: 'object', bytes: encodeDefinition(effective.definition) };
  return { kind: 'keep', uid: device.metadata.uid, binding: device.status?.binding?.generation ?? 0 };
}

/** Most changes are our own status writes: they change neither the spec nor what the way down keeps in the status. */
function isNews(device: DeviceResource, before: DeviceResource | undefined): boolean {
  if (before === undefined || device.metadata.generation === undefined) return true;
  if (before.metadata.generation !== device.metadata.generation || before.metadata.uid !== device.metadata.uid)
    return true;
  const kept = ({ status }: DeviceResource): string => JSON.stringify([status?.binding, status?.conditions]);
  return kept(device) !== kept(before);
}

function groupByNode(keys: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const key of keys) {
    const node = nodeOfKey(key);
    const group = groups.get(node) ?? [];
    groups.set(node, group);
    if (key !== indexKey(node)) group.push(key);
  }
  return groups;
}
