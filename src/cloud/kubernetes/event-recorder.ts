// Kubernetes Events for what a person should know about a device. Best effort: an Event that cannot be written is logged.
import { createHash } from 'node:crypto';
import type { Clock } from '../../kit/clock.ts';
import { messageOf } from '../../kit/errors.ts';
import type { LogFields, Logger } from '../../kit/logger.ts';
import { SharedBackoff } from '../../kit/shared-backoff.ts';
import { ms, seconds } from '../../kit/units.ts';
import { asInteger } from '../../wire/json.ts';
import { kubeErrors } from './errors.ts';
import { MERGE_PATCH, type KubeClient } from './kube-client.ts';
import type { KubeObject } from './resources.ts';

export interface Occurrence {
  readonly type: 'Normal' | 'Warning';
  /** One word in CamelCase. */
  readonly reason: string;
  readonly message: string;
  /** Tells it from others like it: it happened once, however often it is recorded. */
  readonly identity?: string;
}

/** `unavailable`: Kubernetes is away, and a later attempt may succeed. */
export type Recorded = 'recorded' | 'refused' | 'unavailable';

const REPORTER = 'skerry-hub';
const AWAY = { first: ms(200), most: seconds(4) };

export class EventRecorder {
  readonly #client: Pick<KubeClient, 'request'>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** Bounds how often it asks while Kubernetes is away, and nothing otherwise. */
  readonly #backoff = new SharedBackoff(AWAY, Number.POSITIVE_INFINITY);
  #underWay = 0;
  #isAway = false;

  constructor(tools: { readonly client: Pick<KubeClient, 'request'>; readonly clock: Clock; readonly logger: Logger }) {
    this.#client = tools.client;
    this.#clock = tools.clock;
    this.#logger = tools.logger;
  }

  /** The same occurrence again counts up its Event, unless it has an identity. Never rejects. */
  async record(object: KubeObject, occurrence: Occurrence): Promise<Recorded> {
    if (this.#underWay >= this.#backoff.places) return 'unavailable';
    this.#underWay += 1;
    try {
      await this.#write(object, occurrence);
      this.#reached();
      return 'recorded';
    } catch (error) {
      const fields = { ...occurrence, object: object.metadata.name, error: messageOf(error) };
      if (kubeErrors.KUBE_UNAVAILABLE.is(error)) return this.#away(fields);
      this.#reached();
      this.#logger.warn(fields, 'event not recorded');
      return 'refused';
    } finally {
      this.#underWay -= 1;
    }
  }

  #reached(): void {
    this.#backoff.succeeded();
    this.#isAway = false;
  }

  /** Said once until something gets through again. */
  #away(fields: LogFields): 'unavailable' {
    this.#backoff.failed();
    if (!this.#isAway) this.#logger.warn(fields, 'event not recorded; Kubernetes takes none now');
    this.#isAway = true;
    return 'unavailable';
  }

  async #write(object: KubeObject, { identity, ...occurrence }: Occurrence): Promise<void> {
    const { name, namespace = 'default', uid } = object.metadata;
    const said = identity ?? occurrence.message;
    const key = createHash('sha256').update(`${uid} ${occurrence.reason} ${said}`).digest('hex');
    const eventName = `${name.slice(0, 200)}.${key.slice(0, 16)}`;
    const collection = `/api/v1/namespaces/${namespace}/events`;
    const now = new Date(this.#clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
    const body = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: eventName, namespace },
      involvedObject: { apiVersion: object.apiVersion, kind: object.kind, name, namespace, uid },
      ...occurrence,
      source: { component: REPORTER },
      reportingComponent: REPORTER,
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    };
    const answer = await this.#client.request({ method: 'POST', path: collection, body });
    if (answer.status !== 409 || identity !== undefined) return;
    const path = `${collection}/${eventName}`;
    const known = await this.#client.request({ method: 'GET', path });
    const again = { count: (asInteger(known.body['count']) ?? 1) + 1, lastTimestamp: now };
    await this.#client.request({ method: 'PATCH', path, contentType: MERGE_PATCH, body: again });
  }
}
