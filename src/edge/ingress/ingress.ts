// STOP 3: an admitted publication becomes a twin change and an outbox entry in one commit, and only then is it acknowledged.
// Nothing here waits for the cloud, and nothing is decided here: payloads are judged by the parser, changes by the twin rules.
import type { Admission, PublishGate, Publication } from '../../../broker/index.ts';
import { isAbort, messageOf } from '../../kit/errors.ts';
import { Tally } from '../../kit/metrics.ts';
import { Remembered } from '../../kit/remembered.ts';
import type { Logger } from '../../kit/logger.ts';
import type { DeviceId } from '../../model/device.ts';
import { tellOwed } from '../../model/reported-rules.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { DeviceAnswers } from './device-answers.ts';
import { DeviceRequests, type DeviceRequestsTools } from './device-requests.ts';
import { FactKeeper, type FactKeeperTools } from './fact-keeper.ts';
import { LocalWishes } from './local-wishes.ts';
import { NodeRequests, type NodeRequestsTools } from './node-requests.ts';
import type { RedeliveryRecords } from './redelivery.ts';
import type { Outcome } from './refusal.ts';
import type { Untold } from './reject-tally.ts';
import { routesWith, type Route } from './routes.ts';
import { Uploads, type UploadsConfig, type UploadsTools } from './uploads.ts';

export interface IngressConfig extends UploadsConfig {
  /** Filters of the topics that go to the cloud besides KubeEdge's own. */
  readonly uploads: readonly string[];
}

export interface IngressTools extends DeviceRequestsTools, NodeRequestsTools, FactKeeperTools, UploadsTools {
  readonly answers: DeviceAnswers;
  readonly outbox: Outbox;
  readonly seen: RedeliveryRecords;
  readonly logger: Logger;
}

export class Ingress implements PublishGate {
  /** The gate's answers, counted. */
  readonly admissions = new Tally<Admission['kind']>(['admit', 'set-aside', 'unavailable']);
  readonly #tools: IngressTools;
  readonly #facts: FactKeeper;
  readonly #ofDevices: DeviceRequests;
  readonly #ofNode: NodeRequests;
  readonly #uploads: Uploads;
  /** What somebody at this node wants over HTTP. */
  readonly wishes: LocalWishes;
  /** Clients publish to the same few topics for ever. */
  readonly #routes: Remembered<Route>;

  constructor(config: IngressConfig, tools: IngressTools) {
    this.#tools = tools;
    this.#facts = new FactKeeper(config.node, tools);
    this.#ofDevices = new DeviceRequests(this.#facts, tools);
    this.#ofNode = new NodeRequests(config.node, this.#facts, tools);
    this.#uploads = new Uploads(config, this.#facts, tools);
    this.wishes = new LocalWishes(this.#facts, tools);
    this.#routes = new Remembered(routesWith(config.uploads));
  }

  concerns(topic: string): boolean {
    return this.#routes.get(topic).kind !== 'local';
  }

  async admit(publication: Publication): Promise<Admission> {
    const route = this.#routes.get(publication.topic);
    if (route.kind === 'local') return { kind: 'admit' };
    try {
      const outcome = await this.#serve(route, publication);
      if (outcome.kind === 'done') return this.#counted({ kind: 'admit', afterwards: outcome.answer });
      const { refusal } = outcome;
      return this.#counted({
        kind: 'set-aside',
        reason: refusal.reason,
        afterwards: () => this.#tools.answers.refused(refusal),
      });
    } catch (error) {
      if (!isAbort(error))
        this.#tools.logger.warn({ topic: publication.topic, reason: messageOf(error) }, 'publication not stored');
      return this.#counted({ kind: 'unavailable' });
    }
  }

  async #serve(route: Exclude<Route, { readonly kind: 'local' }>, publication: Publication): Promise<Outcome> {
    if (route.kind === 'membership') return this.#ofNode.getMembership(route.node, publication);
    const loading = route.kind === 'device' ? this.#recordsOf(route.device) : undefined;
    if (loading !== undefined) await loading;
    const room = this.#tools.outbox.room();
    if (room !== undefined) await room;
    if (route.kind === 'upload') return this.#uploads.take(route.device, publication);
    return this.#ofDevices.serve(route.device, route.request, publication);
  }

  #counted(admission: Admission): Admission {
    this.admissions.add(admission.kind);
    return admission;
  }

  /** Enlists how often a device was refused something, unless it is not of this node any more. Rejects as `tellOwed` does. */
  async tellRejected({ device, change }: Untold): Promise<void> {
    const { store, clock, outbox } = this.#tools;
    await outbox.room();
    await store.commit((tx) => {
      const found = this.#facts.deviceIn(tx, device);
      if (found === undefined) return;
      const told = { event: [change] };
      this.#facts.keep(tx, { twin: found.twin, told, eventId: '', trace: undefined, at: clock.now() });
    });
  }

  /** Enlists what is due by now of the values that the device's sampled properties still owe; see `OwedFacts`. Rejects where the outbox or the disk is full. */
  async tellOwed(device: DeviceId): Promise<void> {
    await this.#tools.outbox.room();
    return this.#tools.store.commit((tx) => {
      const found = this.#facts.deviceIn(tx, device);
      if (found === undefined) return;
      const now = this.#tools.clock.now();
      let owed = tellOwed(found.twin, found.definition, now);
      while (owed !== undefined) {
        const { after: twin, change, at, isTelemetry } = owed;
        const told = isTelemetry ? { telemetry: [change] } : { twin: [change] };
        this.#facts.keep(tx, { twin, told, eventId: '', trace: undefined, at });
        owed = tellOwed(twin, found.definition, now);
      }
    });
  }

  /** Something to await before a known device's first publication of this start. */
  #recordsOf(device: DeviceId): Promise<void> | undefined {
    const { definitionOf, seen, store } = this.#tools;
    const definition = definitionOf(device);
    return definition === undefined ? undefined : seen.prepare(store, definition.uid);
  }
}
