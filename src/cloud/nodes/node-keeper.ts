// Keeps one node's Node object and Lease in Kubernetes as its heartbeats say. Writes only what changed, and the lease when due.
import type { Clock } from '../../kit/clock.ts';
import type { Duration } from '../../kit/units.ts';
import { asObject, asString, type JsonObject } from '../../wire/json.ts';
import type { Heartbeat } from '../../wire/node-reports.ts';
import type { NodeApi } from '../kubernetes/node-api.ts';
import type { Reconcilable } from '../reconcile-queue.ts';
import { lagAnnotations, nodeFacts, nodeLabels, withReady, type Presence } from './node-object.ts';

export interface NodeKeeperConfig {
  readonly node: string;
  readonly renewEvery: Duration;
  readonly silentAfter: Duration;
}

export interface NodeKeeperTools {
  readonly api: NodeApi;
  readonly clock: Clock;
  /** Of the index that the node should reach. */
  readonly desiredGeneration: (node: string) => number;
}

const NOT_RENEWED = Number.NEGATIVE_INFINITY;

export class NodeKeeper implements Reconcilable {
  readonly node: string;
  readonly #config: NodeKeeperConfig;
  readonly #tools: NodeKeeperTools;
  #heartbeat: Heartbeat | undefined;
  #heardAt: number;
  #renewedAt = NOT_RENEWED;
  #object: JsonObject | undefined;
  #writtenStatus = '';
  #writtenMetadata = '';

  /** A node is given the time of one silence before it counts as silent, also by a hub that has just started. */
  constructor(config: NodeKeeperConfig, tools: NodeKeeperTools) {
    this.node = config.node;
    this.#config = config;
    this.#tools = tools;
    this.#heardAt = tools.clock.monotonic();
  }

  hear(heartbeat: Heartbeat): void {
    this.#heartbeat = heartbeat;
    this.#heardAt = this.#tools.clock.monotonic();
  }

  /** True when Kubernetes does not show what is known here. */
  isDue(): boolean {
    return (
      this.#statusKey() !== this.#writtenStatus || this.#metadataKey() !== this.#writtenMetadata || this.#isLeaseDue()
    );
  }

  async reconcile(): Promise<'done' | 'again'> {
    this.#object ??= await this.#findOrCreate();
    if (this.#object === undefined) return 'done';
    const isThere = (await this.#writeMetadata()) && (await this.#writeStatus(this.#object));
    if (!isThere) {
      // Somebody deleted the Node: a heartbeat makes it again.
      this.#object = undefined;
      this.#writtenStatus = this.#writtenMetadata = '';
      return this.#presence() === 'heard' ? 'again' : 'done';
    }
    if (this.#isLeaseDue()) await this.#renewLease(this.#object);
    return 'done';
  }

  async #findOrCreate(): Promise<JsonObject | undefined> {
    const found = await this.#tools.api.get(this.node);
    if (found !== undefined || this.#heartbeat === undefined) return found;
    return await this.#tools.api.create({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: this.node, labels: nodeLabels(this.#heartbeat) },
      spec: {},
    });
  }

  async #writeMetadata(): Promise<boolean> {
    const key = this.#metadataKey();
    if (key === this.#writtenMetadata || this.#heartbeat === undefined) return true;
    const patched = await this.#tools.api.patchMetadata(this.node, {
      labels: nodeLabels(this.#heartbeat),
      annotations: lagAnnotations(this.#heartbeat.indexGeneration, this.#tools.desiredGeneration(this.node)),
    });
    if (patched === undefined) return false;
    this.#writtenMetadata = key;
    return true;
  }

  async #writeStatus(object: JsonObject): Promise<boolean> {
    const key = this.#statusKey();
    if (key === this.#writtenStatus) return true;
    const presence = this.#presence();
    const reason =
      presence === 'heard'
        ? 'the edge node sends heartbeats'
        : `no heartbeat of the edge node for ${this.#config.silentAfter / 1000} s`;
    const before = asObject(object['status'])?.['conditions'];
    const patched = await this.#tools.api.patchStatus(this.node, {
      ...(this.#heartbeat === undefined ? {} : nodeFacts(this.#heartbeat)),
      conditions: withReady(before, presence, { now: this.#tools.clock.now(), reason }),
    });
    if (patched === undefined) return false;
    this.#object = patched;
    this.#writtenStatus = key;
    return true;
  }

  async #renewLease(object: JsonObject): Promise<void> {
    const renewedAt = this.#tools.clock.monotonic();
    await this.#tools.api.renewLease(this.node, {
      metadata: {
        ownerReferences: [
          {
            apiVersion: 'v1',
            kind: 'Node',
            name: this.node,
            uid: asString(asObject(object['metadata'])?.['uid']) ?? '',
          },
        ],
      },
      spec: {
        holderIdentity: this.node,
        leaseDurationSeconds: Math.ceil(this.#config.silentAfter / 1000),
        renewTime: new Date(this.#tools.clock.now()).toISOString().replace('Z', '000Z'),
      },
    });
    this.#renewedAt = renewedAt;
  }

  #presence(): Presence {
    return this.#tools.clock.monotonic() - this.#heardAt < this.#config.silentAfter ? 'heard' : 'silent';
  }

  #isLeaseDue(): boolean {
    const isFresh = this.#heartbeat !== undefined && this.#presence() === 'heard';
    return isFresh && this.#heardAt - this.#renewedAt >= this.#config.renewEvery;
  }

  /** Before its first heartbeat a node that Kubernetes knows is left as it is, until it has been silent for too long. */
  #statusKey(): string {
    if (this.#heartbeat === undefined) return this.#presence() === 'heard' ? '' : 'silent';
    return JSON.stringify([this.#presence(), nodeFacts(this.#heartbeat)]);
  }

  #metadataKey(): string {
    if (this.#heartbeat === undefined) return '';
    const desired = this.#tools.desiredGeneration(this.node);
    return JSON.stringify([nodeLabels(this.#heartbeat), this.#heartbeat.indexGeneration, desired]);
  }
}
