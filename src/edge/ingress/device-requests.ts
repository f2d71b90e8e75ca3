// What a device's client asks on its topics: judged, committed, and what is to be answered once it is acknowledged.
import type { Publication } from '../../../broker/index.ts';
import type { Clock } from '../../kit/clock.ts';
import { deviceKey, type DeviceId } from '../../model/device.ts';
import { applyState } from '../../model/state-rules.ts';
import { applyUpdate } from '../../model/twin-rules.ts';
import type { DeviceAnswer, DeviceRequest } from '../../wire/mqtt-topics.ts';
import { stageSessions } from '../sessions/stored-sessions.ts';
import type { Store } from '../store/store.ts';
import type { Transaction } from '../store/transaction.ts';
import type { DeviceAnswers, Refusal } from './device-answers.ts';
import type { FactKeeper } from './fact-keeper.ts';
import { tooLargeToSend } from './fact-size.ts';
import { parseRequest, parseStateUpdate, parseTwinUpdate } from './publication-parser.ts';
import { traceOf, type RedeliveryRecords } from './redelivery.ts';

export interface DeviceRequestsTools {
  readonly store: Store;
  readonly seen: Pick<RedeliveryRecords, 'isRedelivered'>;
  readonly answers: DeviceAnswers;
  readonly clock: Clock;
}

export type Outcome =
  { readonly kind: 'done'; readonly answer: () => void } | { readonly kind: 'refused'; readonly refusal: Refusal };

const SHOWN_OF_PAYLOAD = 1024;
const NO_ANSWER = (): void => undefined;

export class DeviceRequests {
  readonly #facts: FactKeeper;
  readonly #tools: DeviceRequestsTools;

  constructor(facts: FactKeeper, tools: DeviceRequestsTools) {
    this.#facts = facts;
    this.#tools = tools;
  }

  serve(device: DeviceId, request: DeviceRequest, publication: Publication): Promise<Outcome> {
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
      const found = this.#facts.deviceIn(tx, device);
      if (found === undefined) return refuse(eventId, 404, unknownDevice(device));
      if (this.#tools.seen.isRedelivered(found.definition.uid, trace, publication.duplicate))
        return { kind: 'done', answer: NO_ANSWER };
      const now = this.#tools.clock.now();
      const outcome = applyUpdate(found.twin, found.definition, updates, now);
      if (outcome.kind === 'refused') return refuse(eventId, 400, outcome.reason);
      const { before, after, changes, telemetry, owed } = outcome;
      const tooLarge = tooLargeToSend(after, [changes, telemetry, owed], eventId);
      if (tooLarge !== undefined) return refuse(eventId, 400, tooLarge);
      this.#facts.keep(tx, { twin: after, told: { twin: changes, telemetry }, eventId, trace, at: now });
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
      const found = this.#facts.deviceIn(tx, device);
      if (found === undefined) return refuse(eventId, 404, unknownDevice(device));
      if (this.#tools.seen.isRedelivered(found.definition.uid, trace, publication.duplicate))
        return { kind: 'done', answer: NO_ANSWER };
      const now = this.#tools.clock.now();
      const { twin, changes } = applyState(found.twin, parsed.value, now);
      const tooLarge = tooLargeToSend(twin, [changes], eventId);
      if (tooLarge !== undefined) return refuse(eventId, 400, tooLarge);
      this.#facts.keep(tx, { twin, told: { event: changes }, eventId, trace, at: now });
      return { kind: 'done', answer: () => this.#tools.answers.stateUpdated(twin) };
    });
  }

  async #getTwin(device: DeviceId, publication: Publication): Promise<Outcome> {
    const refuse = refusalsOf(device, 'twin/get/result', publication);
    const parsed = parseRequest(publication.payload);
    if (parsed.kind === 'refused') return refuse(parsed.eventId, 400, parsed.reason);
    // Through the committer, so that it sees every update that the same client published before it.
    return this.#commit(publication, (tx): Outcome => {
      const found = this.#facts.deviceIn(tx, device);
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
}

function refusalsOf(device: DeviceId, answer: DeviceAnswer, publication: Publication) {
  return (eventId: string, code: Refusal['code'], reason: string): Outcome => {
    const payload = Buffer.from(publication.payload.subarray(0, SHOWN_OF_PAYLOAD)).toString('utf8');
    return { kind: 'refused', refusal: { device, answer, eventId, code, reason, payload } };
  };
}

const unknownDevice = (device: DeviceId): string =>
  `the device ${deviceKey(device)} is not known on this node; apply a Device with that name and this node as spec.nodeName`;
