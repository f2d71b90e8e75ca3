// Keeps one node's Node object and Lease in Kubernetes as its heartbeats say. Writes only what changed, and the lease when due.
import type { Clock } from '../../kit/clock.ts';
import type { Duration } from '../../kit/units.ts';
import { asObject, asString, type JsonObject } from '../../wire/json.ts';
import type { Heartbeat, NodeProblem } from '../../wire/node-reports.ts';
import type { EventRecorder } from '../kubernetes/event-recorder.ts';
import type { NodeApi } from '../kubernetes/node-api.ts';
import { kubeObjectFrom } from '../kubernetes/resources.ts';
import type { Reconcilable } from '../reconcile-queue.ts';
import { NodeInstances } from './node-instances.ts';
import {
  lagAnnotations,
  nodeFacts,
  nodeLabels,
  reasonOf,
  withProblem,
  withReady,
  type Presence,
} from './node-object.ts';

export interface NodeKeeperConfig {
  readonly node: string;
  readonly renewEvery: Duration;
  readonly silentAfter: Duration;
}

export interface NodeKeeperTools {
  readonly api: NodeApi;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly clock: Clock;
  /** Of the index that the node should reach. */
  readonly desiredGeneration: (node: string) => number;
}

const NOT_RENEWED = Number.NEGATIVE_INFINITY;

export class NodeKeeper implements Reconcilable {
  readonly node: string;
  readonly #config: NodeKeeperConfig;
  readonly #tools: NodeKeeperTools;
  readonly #instances: NodeInstances;
  #heardAt: number;
  #isDismissed = false;
  #renewedAt = NOT_RENEWED;
  #object: JsonObject | undefined;
  #writtenStatus = '';
  #writtenMetadata = '';
  #toldProblem: NodeProblem | undefined;

  /** A node is given the time of one silence before it counts as silent, also by a hub that has just started. */
  constructor(config: NodeKeeperConfig, tools: NodeKeeperTools) {
    this.node = config.node;
    this.#config = config;
    this.#tools = tools;
    this.#instances = new NodeInstances(config.silentAfter);
    this.#heardAt = tools.clock.monotonic();
  }

  hear(heartbeat: Heartbeat): void {
    this.#heardAt = this.#tools.clock.monotonic();
    this.#isDismissed = false;
    this.#instances.hear(heartbeat, this.#heardAt);
  }

  /** It was thrown out: silent from now on, however lately it was heard. */
  dismiss(): void {
    this.#heardAt = Number.NEGATIVE_INFINITY;
    this.#isDismissed = true;
  }

  get presence(): 'heard' | 'silent' | 'undecided' {
    if (this.#presence() === 'silent') return 'silent';
    return this.#heartbeat === undefined ? 'undecided' : 'heard';
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

  get #heartbeat(): Heartbeat | undefined {
    return this.#instances.speaker(this.#tools.clock.monotonic());
  }

  get #problem(): NodeProblem | undefined {
    return this.#instances.problem(this.#tools.clock.monotonic());
  }

  async #findOrCreate(): Promise<JsonObject | undefined> {
    const found = await this.#tools.api.get(this.node);
    const heartbeat = this.#heartbeat;
    if (found !== undefined || heartbeat === undefined) return found;
    return await this.#tools.api.create({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: this.node, labels: nodeLabels(heartbeat) },
      spec: {},
    });
  }

  async #writeMetadata(): Promise<boolean> {
    const key = this.#metadataKey();
    const heartbeat = this.#heartbeat;
    if (key === this.#writtenMetadata || heartbeat === undefined) return true;
    const patched = await this.#tools.api.patchMetadata(this.node, {
      labels: nodeLabels(heartbeat),
      annotations: lagAnnotations(heartbeat.indexGeneration, this.#tools.desiredGeneration(this.node)),
    });
    if (patched === undefined) return false;
    this.#writtenMetadata = key;
    return true;
  }

  async #writeStatus(object: JsonObject): Promise<boolean> {
    const key = this.#statusKey();
    if (key === this.#writtenStatus) return true;
    const [presence, heartbeat, problem] = [this.#presence(), this.#heartbeat, this.#problem];
    const reason = presence === 'heard' ? 'the edge node sends heartbeats' : this.#silence();
    const now = this.#tools.clock.now();
    const before = asObject(object['status'])?.['conditions'];
    const patched = await this.#tools.api.patchStatus(this.node, {
      ...(heartbeat === undefined ? {} : nodeFacts(heartbeat)),
      conditions: withProblem(withReady(before, presence, { now, reason }), problem, { now }),
    });
    if (patched === undefined) return false;
    this.#object = patched;
    this.#writtenStatus = key;
    await this.#tell(problem, patched);
    return true;
  }

  /** As an Event too, once for each problem. */
  async #tell(problem: NodeProblem | undefined, object: JsonObject): Promise<void> {
    const isTold = problem?.code === this.#toldProblem?.code && problem?.message === this.#toldProblem?.message;
    this.#toldProblem = problem;
    const node = kubeObjectFrom(object, { apiVersion: 'v1', kind: 'Node' });
    if (isTold || problem === undefined || node === undefined) return;
    await this.#tools.events.record(node, { type: 'Warning', reason: reasonOf(problem), message: problem.message });
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

  #silence(): string {
    return this.#isDismissed
      ? 'the key of the node was revoked, or its name released'
      : `no heartbeat of the edge node for ${this.#config.silentAfter / 1000} s`;
  }

  #isLeaseDue(): boolean {
    const isFresh = this.#heartbeat !== undefined && this.#presence() === 'heard';
    return isFresh && this.#heardAt - this.#renewedAt >= this.#config.renewEvery;
  }

  /** Before its first heartbeat a node that Kubernetes knows is left as it is, until it has been silent for too long. */
  #statusKey(): string {
    const heartbeat = this.#heartbeat;
    if (heartbeat === undefined) return this.#presence() === 'heard' ? '' : 'silent';
    return JSON.stringify([this.#presence(), nodeFacts(heartbeat), this.#problem]);
  }

  #metadataKey(): string {
    const heartbeat = this.#heartbeat;
    if (heartbeat === undefined) return '';
    const desired = this.#tools.desiredGeneration(this.node);
    return JSON.stringify([nodeLabels(heartbeat), heartbeat.indexGeneration, desired]);
  }
}
