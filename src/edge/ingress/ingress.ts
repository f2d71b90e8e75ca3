// STOP 3: an admitted publication becomes a twin change and an outbox entry in one commit, and only then is it acknowledged.
// Nothing here waits for the cloud, and nothing is decided here: payloads are judged by the parser, changes by the twin rules.
import type { Admission, PublishGate, Publication } from '../../../broker/index.ts';
import type { Clock } from '../../kit/clock.ts';
import { isAbort, messageOf } from '../../kit/errors.ts';
import { Tally } from '../../kit/metrics.ts';
import { Remembered } from '../../kit/remembered.ts';
import type { Logger } from '../../kit/logger.ts';
import { deviceKey, type DeviceDefinition, type DeviceId } from '../../model/device.ts';
import type { Change } from '../../model/fact.ts';
import { emptyTwin, type Twin } from '../../model/twin.ts';
import { tellOwed } from '../../model/reported-rules.ts';
import { applyState, applyUpdate, type PropertyUpdate } from '../../model/twin-rules.ts';
import { DEVICE_ROOT, parseDeviceTopic, type DeviceAnswer, type DeviceRequest } from '../../wire/mqtt-topics.ts';
import { CHAIN_CLASSES, type ChainClass } from '../../wire/nats-subjects.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { stageSessions } from '../sessions/stored-sessions.ts';
import type { Store } from '../store/store.ts';
import type { Transaction } from '../store/transaction.ts';
import type { TwinBook } from '../twin/twin-book.ts';
import { tooLargeToSend } from './fact-size.ts';
import { nameProblem, parseRequest, parseStateUpdate, parseTwinUpdate } from './publication-parser.ts';
import { traceOf, type RedeliveryRecords, type Trace } from './redelivery.ts';

/** What a request gets back over MQTT. The twins in it are stored: answers never run ahead of the disk. */
export interface DeviceAnswers {
  updated(update: TwinUpdated): void;
  refused(refusal: Refusal): void;
  twinRead(device: DeviceId, twin: Twin, eventId: string): void;
  stateUpdated(twin: Twin): void;
}

export interface TwinUpdated {
  readonly before: Twin;
  readonly after: Twin;
  readonly eventId: string;
  readonly updates: readonly PropertyUpdate[];
}

export interface Refusal {
  readonly device: DeviceId;
  readonly answer: DeviceAnswer;
  readonly eventId: string;
  readonly code: 400 | 404;
  readonly reason: string;
  /** The payload as it came, shortened. */
  readonly payload: string;
}

export interface IngressTools {
  readonly store: Store;
  readonly twins: TwinBook;
  readonly outbox: Outbox;
  readonly seen: RedeliveryRecords;
  readonly definitionOf: (device: DeviceId) => DeviceDefinition | undefined;
  readonly chainOf: (chainClass: ChainClass, device: DeviceId) => string;
  readonly answers: DeviceAnswers;
  readonly clock: Clock;
  readonly logger: Logger;
}

export type SetDesired =
  | { readonly kind: 'set'; readonly twin: Twin }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unknown' };

/** What one publication changed: one fact for each class of chain that is to be told anything. */
interface Kept {
  readonly twin: Twin;
  readonly told: Readonly<Partial<Record<ChainClass, readonly Change[]>>>;
  readonly eventId: string;
  readonly trace: Trace | undefined;
  /** When it was received. */
  readonly at: number;
}

type Outcome =
  { readonly kind: 'done'; readonly answer: () => void } | { readonly kind: 'refused'; readonly refusal: Refusal };

const SHOWN_OF_PAYLOAD = 1024;
const NO_ANSWER = (): void => undefined;

export class Ingress implements PublishGate {
  /** The gate's answers, counted. */
  readonly admissions = new Tally<Admission['kind']>(['admit', 'set-aside', 'unavailable']);
  readonly #tools: IngressTools;
  /** Devices publish to the same few topics for ever. */
  readonly #topics = new Remembered(parseDeviceTopic);

  constructor(tools: IngressTools) {
    this.#tools = tools;
  }

  concerns(topic: string): boolean {
    return topic.startsWith(DEVICE_ROOT);
  }

  async admit(publication: Publication): Promise<Admission> {
    const topic = this.#topics.get(publication.topic);
    if (topic === undefined) return { kind: 'admit' };
    try {
      const loading = this.#recordsOf(topic.device);
      if (loading !== undefined) await loading;
      const room = this.#tools.outbox.room();
      if (room !== undefined) await room;
      const outcome = await this.#serve(topic.device, topic.request, publication);
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

  #counted(admission: Admission): Admission {
    this.admissions.add(admission.kind);
    return admission;
  }

  /** Somebody at this node wants a property to be something else: stored like an update that came by MQTT, without its acknowledgement. */
  async setDesired(device: DeviceId, property: string, value: unknown): Promise<SetDesired> {
    const { store, clock, outbox } = this.#tools;
    await outbox.room();
    return store.commit((tx): SetDesired => {
      const found = this.#deviceIn(tx, device);
      if (found === undefined) return { kind: 'unknown' };
      const problem = nameProblem(property);
      if (problem !== undefined) return { kind: 'refused', reason: problem };
      const updates = [{ property, expected: { raw: value } }];
      const now = clock.now();
      const outcome = applyUpdate(found.twin, found.definition, updates, now);
      if (outcome.kind === 'refused') return outcome;
      const { before, after, changes, telemetry, owed } = outcome;
      const tooLarge = tooLargeToSend(after, [changes, telemetry, owed], '');
      if (tooLarge !== undefined) return { kind: 'refused', reason: tooLarge };
      this.#keep(tx, { twin: after, told: { twin: changes, telemetry }, eventId: '', trace: undefined, at: now });
      tx.afterCommit(() => {
        this.#tools.answers.updated({ before, after, eventId: '', updates });
      });
      return { kind: 'set', twin: after };
    });
  }

  /** Enlists what is due by now of the values that the device's sampled properties still owe; see `OwedFacts`. Rejects where the outbox or the disk is full. */
  async tellOwed(device: DeviceId): Promise<void> {
    await this.#tools.outbox.room();
    return this.#tools.store.commit((tx) => {
      const found = this.#deviceIn(tx, device);
      if (found === undefined) return;
      const now = this.#tools.clock.now();
      let owed = tellOwed(found.twin, found.definition, now);
      while (owed !== undefined) {
        const { after: twin, change, at, isTelemetry } = owed;
        const told = isTelemetry ? { telemetry: [change] } : { twin: [change] };
        this.#keep(tx, { twin, told, eventId: '', trace: undefined, at });
        owed = tellOwed(twin, found.definition, now);
      }
    });
  }

  #serve(device: DeviceId, request: DeviceRequest, publication: Publication): Promise<Outcome> {
    switch (request) {
      case 'twin/update':
        return this.#updateTwin(device, publication);
      case 'twin/get':
        return this.#getTwin(device, publication);
      case 'state/update':
        return this.#updateState(device, publication);
    }
  }

  async #updateTwin(device: DeviceId, publication: Publication): Promise<Outcome> {
    const refuse = refusalsOf(device, 'twin/update/result', publication);
    const parsed = parseTwinUpdate(publication.payload);
    if (parsed.kind === 'refused') return refuse(parsed.eventId, 400, parsed.reason);
    const { eventId, value: updates } = parsed;
    const trace = traceOf(publication, eventId);
    return this.#commit(publication, (tx): Outcome => {
      const found = this.#deviceIn(tx, device);
      if (found === undefined) return refuse(eventId, 404, unknownDevice(device));
      if (this.#tools.seen.isRedelivered(found.definition.uid, trace, publication.duplicate))
        return { kind: 'done', answer: NO_ANSWER };
      const now = this.#tools.clock.now();
      const outcome = applyUpdate(found.twin, found.definition, updates, now);
      if (outcome.kind === 'refused') return refuse(eventId, 400, outcome.reason);
      const { before, after, changes, telemetry, owed } = outcome;
      const tooLarge = tooLargeToSend(after, [changes, telemetry, owed], eventId);
      if (tooLarge !== undefined) return refuse(eventId, 400, tooLarge);
      this.#keep(tx, { twin: after, told: { twin: changes, telemetry }, eventId, trace, at: now });
      return { kind: 'done', answer: () => this.#tools.answers.updated({ before, after, eventId, updates }) };
    });
  }

  async #updateState(device: DeviceId, publication: Publication): Promise<Outcome> {
    const refuse = refusalsOf(device, 'state/update/result', publication);
    const parsed = parseStateUpdate(publication.payload);
    if (parsed.kind === 'refused') return refuse(parsed.eventId, 400, parsed.reason);
    const { eventId } = parsed;
    const trace = traceOf(publication, eventId === '' ? '' : `state/${eventId}`);
    return this.#commit(publication, (tx): Outcome => {
      const found = this.#deviceIn(tx, device);
      if (found === undefined) return refuse(eventId, 404, unknownDevice(device));
      if (this.#tools.seen.isRedelivered(found.definition.uid, trace, publication.duplicate))
        return { kind: 'done', answer: NO_ANSWER };
      const now = this.#tools.clock.now();
      const { twin, changes } = applyState(found.twin, parsed.value, now);
      const tooLarge = tooLargeToSend(twin, [changes], eventId);
      if (tooLarge !== undefined) return refuse(eventId, 400, tooLarge);
      this.#keep(tx, { twin, told: { event: changes }, eventId, trace, at: now });
      return { kind: 'done', answer: () => this.#tools.answers.stateUpdated(twin) };
    });
  }

  async #getTwin(device: DeviceId, publication: Publication): Promise<Outcome> {
    const refuse = refusalsOf(device, 'twin/get/result', publication);
    const parsed = parseRequest(publication.payload);
    if (parsed.kind === 'refused') return refuse(parsed.eventId, 400, parsed.reason);
    // Through the committer, so that it sees every update that the same client published before it.
    return this.#commit(publication, (tx): Outcome => {
      const found = this.#deviceIn(tx, device);
      if (found === undefined) return refuse(parsed.eventId, 404, unknownDevice(device));
      return { kind: 'done', answer: () => this.#tools.answers.twinRead(device, found.twin, parsed.eventId) };
    });
  }

  /** In one commit with what sessions are to get of the publication: its acknowledgement speaks for both. */
  #commit(publication: Publication, build: (tx: Transaction) => Outcome): Promise<Outcome> {
    return this.#tools.store.commit((tx) => {
      const outcome = build(tx);
      const routing = publication.routing?.changes();
      if (routing !== undefined) stageSessions(tx, routing);
      return outcome;
    });
  }

  /** Something to await before a known device's first publication of this start. */
  #recordsOf(device: DeviceId): Promise<void> | undefined {
    const { definitionOf, seen, store } = this.#tools;
    const definition = definitionOf(device);
    return definition === undefined ? undefined : seen.prepare(store, definition.uid);
  }

  #deviceIn(
    tx: Transaction,
    device: DeviceId,
  ): { readonly definition: DeviceDefinition; readonly twin: Twin } | undefined {
    const definition = this.#tools.definitionOf(device);
    if (definition === undefined || this.#tools.twins.isRemoved(tx, device)) return undefined;
    return { definition, twin: this.#tools.twins.current(tx, device) ?? emptyTwin(definition) };
  }

  #keep(tx: Transaction, kept: Kept): void {
    const { twin, told, eventId, trace, at } = kept;
    const { namespace, name, uid, binding } = twin;
    const device = { namespace, name };
    this.#tools.twins.change(tx, twin);
    if (trace !== undefined) this.#tools.seen.remember(tx, uid, trace);
    for (const chainClass of CHAIN_CLASSES) {
      const changes = told[chainClass] ?? [];
      if (changes.length === 0) continue;
      const fact = { device, uid, binding, at, changes, ...(eventId === '' ? {} : { eventId }) };
      this.#tools.outbox.enlist(tx, this.#tools.chainOf(chainClass, device), fact);
    }
  }
}

function refusalsOf(device: DeviceId, answer: DeviceAnswer, publication: Publication) {
  return (eventId: string, code: Refusal['code'], reason: string): Outcome => {
    const payload = Buffer.from(publication.payload.subarray(0, SHOWN_OF_PAYLOAD)).toString('utf8');
    return { kind: 'refused', refusal: { device, answer, eventId, code, reason, payload } };
  };
}

const unknownDevice = (device: DeviceId): string =>
  `the device ${deviceKey(device)} is not known on this node; apply a Device with that name and this node as spec.nodeName`;
