// What nodes report, from both streams, onto Device status. A message is done only when a status write that holds it succeeded,
// or when it changes nothing; a hub that dies in between gets it again.
import { aborted } from '../../kit/aborted.ts';
import type { Deadline } from '../../kit/deadline.ts';
import type { Logger } from '../../kit/logger.ts';
import type { Health, Service } from '../../kit/service.ts';
import { TaskGroup } from '../../kit/task-group.ts';
import { seconds } from '../../kit/units.ts';
import { deviceKey } from '../../model/device.ts';
import { ConsumerLoop, type PoisonKeeper, type StreamMessage, type Verdict } from '../../nats/consumer-loop.ts';
import type { NatsLink } from '../../nats/nats-link.ts';
import type { ServerMade } from '../../nats/server-made.ts';
import { decodeBatch, type DeviceEvent } from '../../wire/device-events.ts';
import { classOfChain, nodeOfSubject, STATE_STREAM, UP_STREAM } from '../../wire/nats-subjects.ts';
import type { Forgeries } from '../forgeries.ts';
import type { DeviceModelWatch, DeviceWatch } from '../kubernetes/device-watch.ts';
import type { EventRecorder, Occurrence } from '../kubernetes/event-recorder.ts';
import { modelKeyOf, type DeviceResource } from '../kubernetes/resources.ts';
import type { NodeApi } from '../kubernetes/node-api.ts';
import type { StatusOutcome, StatusWriter } from '../kubernetes/status-writer.ts';
import type { Absences } from './absences.ts';
import { isOfBinding, misfitOf } from './event-origin.ts';
import { tellNodeGaps } from './node-gaps.ts';
import { tellOccurrences } from './occurrences.ts';
import { Precedence } from './precedence.ts';
import { StateEvents, stateOccurrence } from './state-events.ts';
import { declaredProperties, momentOf, projectAll, type ProjectedDevice } from './status-projector.ts';

export interface UpstreamTools {
  readonly link: NatsLink;
  readonly devices: Pick<DeviceWatch, 'get' | 'lists' | 'onEvent'>;
  readonly models: Pick<DeviceModelWatch, 'get' | 'lists' | 'onEvent'>;
  readonly nodes: Pick<NodeApi, 'get'>;
  readonly writer: Pick<StatusWriter, 'update'>;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly absences: Pick<Absences, 'isGone'>;
  readonly poison: PoisonKeeper;
  readonly forgeries: Forgeries;
  readonly logger: Logger;
}

/** What one message says about one device. */
interface Report {
  readonly key: string;
  readonly subject: string;
  /** Whose credentials published it. */
  readonly node: string;
  readonly events: readonly DeviceEvent[];
  readonly livedAt: (event: DeviceEvent) => number;
}

type Handler = (message: StreamMessage) => Promise<Verdict>;

const RETRY_AFTER = seconds(1);
const HISTORY_WAITS = seconds(5);

export class Upstream implements Service {
  readonly name = 'upstream';
  readonly #tools: UpstreamTools;
  readonly #loops: readonly ConsumerLoop[];
  readonly #tasks = new TaskGroup();
  readonly #allKnown: Promise<unknown>;
  readonly #states: StateEvents;

  constructor(tools: UpstreamTools) {
    this.#tools = tools;
    this.#states = new StateEvents(tools.events, () => performance.now());
    const precedence = new Precedence(HISTORY_WAITS);
    const { link, poison, logger } = tools;
    const loopOver = (stream: string, durable: string, handle: Handler): ConsumerLoop =>
      new ConsumerLoop({ stream, durable }, { link, poison, logger, handle });
    this.#loops = [
      loopOver(STATE_STREAM, 'skerry-hub-state', (message) =>
        precedence.state(nodeOf(message), () => this.#handle(message, 'state')),
      ),
      loopOver(UP_STREAM, 'skerry-hub', (message) =>
        precedence.history(nodeOf(message), () => this.#handle(message, 'fact')),
      ),
    ];
    this.#allKnown = Promise.all([
      new Promise<void>((resolve) => tools.devices.onEvent(({ kind }) => kind === 'synced' && resolve())),
      new Promise<void>((resolve) => tools.models.onEvent(({ kind }) => kind === 'synced' && resolve())),
    ]);
  }

  get ended(): Promise<unknown> {
    return Promise.race([this.#tasks.ended, ...this.#loops.map((loop) => loop.ended)]);
  }

  /** Consumes once every Device and DeviceModel is known; until then a report could not be told from one about a device that is gone. */
  start(_signal: AbortSignal): Promise<void> {
    this.#tasks.run('consume', async (signal) => {
      await Promise.race([this.#allKnown, aborted(signal)]);
      if (signal.aborted) return;
      for (const loop of this.#loops) await loop.start(signal);
      await aborted(signal);
    });
    return Promise.resolve();
  }

  async stop(deadline: Deadline): Promise<void> {
    await this.#tasks.close(deadline);
    await Promise.all(this.#loops.map((loop) => loop.stop(deadline)));
  }

  health(): Health {
    const { devices, models } = this.#tools;
    if (devices.lists === 0 || models.lists === 0)
      return { state: 'degraded', reason: 'waits for the list of Devices' };
    const states = this.#loops.map((loop) => loop.health());
    return states.find(({ state }) => state !== 'ok') ?? { state: 'ok' };
  }

  async #handle(message: StreamMessage, what: 'state' | 'fact'): Promise<Verdict> {
    if (message.made !== undefined) return this.#forged(message.subject, message.made);
    const batch = decodeBatch(message.data);
    if (batch.kind === 'refused') return { poison: batch.reason };
    const misfit = misfitOf(message.subject, batch.events);
    if (misfit !== undefined) return { poison: misfit };
    if (classOfChain(message.subject) === 'message')
      return (await tellNodeGaps(message, this.#tools)) ? 'done' : { retryAfter: RETRY_AFTER };
    const node = nodeOf(message);
    const groups = [...byDevice(batch.events)];
    const storedAt = message.storedAt.getTime();
    const livedAt = (event: DeviceEvent): number => momentOf(event, what, storedAt);
    const { subject } = message;
    const outcomes = await Promise.all(
      groups.map(([key, events]) => this.#take({ key, subject, node, events, livedAt })),
    );
    const refused = outcomes.find((outcome) => typeof outcome === 'object');
    if (refused !== undefined) return { poison: refused.refused };
    return outcomes.includes('abandoned') ? { retryAfter: RETRY_AFTER } : 'done';
  }

  #forged(subject: string, made: ServerMade): Verdict {
    this.#tools.forgeries.note('report', subject, made);
    return { poison: `forged: an answer of the NATS server, about ${made.from}` };
  }

  async #take(report: Report): Promise<StatusOutcome> {
    const { key, subject, events } = report;
    const { devices, absences, logger } = this.#tools;
    const outcome = devices.get(key) === undefined ? 'gone' : await this.#project(report);
    if (outcome === 'gone') {
      if (!(await absences.isGone(key, this.#tasks.signal))) return 'abandoned';
      logger.debug({ device: key, events: events.length }, 'report of a device that does not exist; dropped');
      return 'gone';
    }
    const device = devices.get(key);
    if (outcome === 'abandoned' || device === undefined) return outcome;
    // Last, so that an Event that cannot be written holds up no status.
    const isTold = await tellOccurrences(events, { subject, device, recorder: this.#tools.events });
    return isTold ? outcome : 'abandoned';
  }

  async #project({ key, node, events, livedAt }: Report): Promise<StatusOutcome> {
    const { writer, models } = this.#tools;
    const told: { device: DeviceResource; occurrence: Occurrence }[] = [];
    const outcome = await writer.update(key, (status, device) => {
      const properties = declaredProperties(device, models.get(modelKeyOf(device)));
      const heard = events.filter((event) => isOfBinding(status.binding, node, event));
      const next = projectAll(projectedDevice(device, properties, livedAt), status, heard);
      const occurrence = stateOccurrence(status, next, heard);
      // Applied again after a conflict: the last time counts.
      told.splice(0, 1, ...(occurrence === undefined ? [] : [{ device, occurrence }]));
      return next;
    });
    const [news] = told;
    if (outcome === 'written' && news !== undefined) await this.#states.tell(news.device, news.occurrence);
    return outcome;
  }
}

const projectedDevice = (
  { metadata: { uid, name, namespace = 'default' }, spec }: DeviceResource,
  properties: readonly string[],
  livedAt: (event: DeviceEvent) => number,
): ProjectedDevice => ({
  ...{ uid, properties, livedAt, name: `${namespace}/${name}` },
  desiredOf: (property) => spec.properties?.find((each) => each.name === property)?.desired?.value,
});

const nodeOf = ({ subject }: StreamMessage): string => nodeOfSubject(subject) ?? '';

function byDevice(events: readonly DeviceEvent[]): ReadonlyMap<string, readonly DeviceEvent[]> {
  const groups = new Map<string, DeviceEvent[]>();
  for (const event of events) {
    const key = deviceKey(event.device);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [event]);
    else group.push(event);
  }
  return groups;
}
