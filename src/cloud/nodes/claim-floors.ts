// Sees to it that every node finds a word in its claim key: a store that is new asks there how far earlier ones had come. Where
// the NATS store was lost, only Kubernetes remembers, and a term that begins again would be older than what it shows.
import type { Deadline } from '../../kit/deadline.ts';
import type { Logger } from '../../kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { parseVersion } from '../../model/version.ts';
import { putIfRevision, readLast } from '../../nats/direct-get.ts';
import type { NatsLink } from '../../nats/nats-link.ts';
import { bucketSubject, CLAIM_BUCKET, CLAIM_STREAM, claimKey } from '../../wire/nats-subjects.ts';
import { claimFloor, decodeClaim, encodeClaim } from '../../wire/node-reports.ts';
import type { DeviceWatch } from '../kubernetes/device-watch.ts';
import type { DeviceResource, DeviceStatus } from '../kubernetes/resources.ts';
import { ReconcileQueue, type Reconcilable } from '../reconcile-queue.ts';

export interface ClaimFloorsTools {
  readonly link: NatsLink;
  readonly streams: { onReady(listener: () => void): void };
  readonly devices: DeviceWatch;
  /** Nodes that may connect, heard or not. */
  readonly admitted: () => Iterable<string>;
  readonly logger: Logger;
}

export class ClaimFloors implements Service {
  readonly name = 'claim-floors';
  readonly #tools: ClaimFloorsTools;
  readonly #queue: ReconcileQueue;
  readonly #nodes = new Map<string, Reconcilable>();
  #areStreamsReady = false;

  constructor(tools: ClaimFloorsTools) {
    this.#tools = tools;
    this.#queue = new ReconcileQueue(tools);
    tools.devices.onEvent(({ kind }) => {
      if (kind === 'synced') this.#openWhenKnown();
    });
    tools.streams.onReady(() => {
      this.#areStreamsReady = true;
      // The bucket may be another than before.
      for (const node of [...this.#nodes.keys(), ...tools.admitted()]) this.#see(node);
      this.#openWhenKnown();
    });
    tools.link.onDisconnected(() => {
      this.#areStreamsReady = false;
      this.#queue.pause();
    });
  }

  start(_signal: AbortSignal): Promise<void> {
    return Promise.resolve();
  }

  async stop(deadline: Deadline): Promise<void> {
    await this.#queue.close(deadline);
  }

  health(): Health {
    return this.#queue.reason === undefined ? HEALTHY : { state: 'degraded', reason: this.#queue.reason };
  }

  /** The node exists. */
  noteNode(node: string): void {
    if (!this.#nodes.has(node)) this.#see(node);
  }

  #openWhenKnown(): void {
    if (this.#areStreamsReady && this.#tools.devices.lists > 0) this.#queue.open();
  }

  #see(node: string): void {
    const known = this.#nodes.get(node) ?? { node, reconcile: () => this.#ensure(node) };
    this.#nodes.set(node, known);
    this.#queue.add(known);
  }

  async #ensure(node: string): Promise<'done' | 'again'> {
    const { link, devices, logger } = this.#tools;
    const subject = bucketSubject(CLAIM_BUCKET, claimKey(node));
    const found = await readLast(link, CLAIM_STREAM, subject);
    if (found?.operation === undefined && found !== undefined && decodeClaim(found.data) !== undefined) return 'done';
    const term = highestTerm(node, devices.values());
    const put = await putIfRevision(link, subject, encodeClaim(claimFloor(term)), found?.sequence ?? 0);
    if (put !== 'conflict') logger.info({ edge: node, term }, 'claim prepared');
    return put === 'conflict' ? 'again' : 'done';
  }
}

/** The newest term under which the node reported what its Devices show; 0 when it never did. */
export function highestTerm(node: string, devices: Iterable<DeviceResource>): number {
  let highest = 0;
  for (const { status } of devices) {
    if (status?.binding?.nodeName !== node) continue;
    for (const version of versionsIn(status)) highest = Math.max(highest, parseVersion(version)?.term ?? 0);
  }
  return highest;
}

function versionsIn({ twins = [], stateVersion }: DeviceStatus): readonly string[] {
  const versions = twins.flatMap(({ reported, observedDesired }) => [
    reported?.metadata?.['version'],
    observedDesired?.metadata?.['version'],
  ]);
  return [...versions, stateVersion].filter((version) => version !== undefined);
}
