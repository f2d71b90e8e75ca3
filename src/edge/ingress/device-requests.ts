// What a device's client asks on its topics: judged, committed, and what is to be answered once it is acknowledged.
import type { Publication } from '../../../broker/index.ts';
import type { Clock } from '../../kit/clock.ts';
import { deviceKey, type DeviceId } from '../../model/device.ts';
import { KUBEEDGE_REASONS, saidAsKubeEdge, unknownToGet, unreadableGet } from '../../model/kubeedge-reasons.ts';
import { applyState } from '../../model/state-rules.ts';
import { applyUpdate } from '../../model/twin-rules.ts';
import type { DeviceRequest } from '../../wire/mqtt-topics.ts';
import type { Store } from '../store/store.ts';
import { commitWith } from './commit-with.ts';
import type { DeviceAnswers } from './device-answers.ts';
import type { FactKeeper } from './fact-keeper.ts';
import type { Presence } from './presence.ts';
import { parseRequest, parseStateUpdate, parseTwinUpdate } from './publication-parser.ts';
import { traceOf, type RedeliveryRecords } from './redelivery.ts';
import { NO_ANSWER, refusalsOf, shownOf, unreadUpdate, type Outcome } from './refusal.ts';

export interface DeviceRequestsTools {
  readonly store: Store;
  readonly seen: Pick<RedeliveryRecords, 'isRedelivered'>;
  readonly answers: DeviceAnswers;
  readonly presence: Pick<Presence, 'heard'>;
  readonly clock: Clock;
}

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
    if (parsed.kind === 'refused') return unreadUpdate(refuse(parsed.eventId, 'payload', parsed.reason));
    const { eventId, value: updates } = parsed;
    const trace = traceOf(publication, eventId);
    return commitWith(publication, this.#tools.store, (tx): Outcome => {
      const found = this.#facts.deviceIn(tx, device);
      if (found === undefined)
        return refuse(eventId, 'unknown', saidAsKubeEdge(KUBEEDGE_REASONS.unknownDevice, unknownDevice(device)));
      if (this.#tools.seen.isRedelivered(found.definition.uid, trace, publication.duplicate)) return NO_ANSWER;
      const now = this.#tools.clock.now();
      const outcome = applyUpdate(found.twin, found.definition, updates, now);
      if (outcome.kind === 'refused') return refuse(eventId, 'value', outcome.reason);
      const { before, after, changes, telemetry, owed, touched } = outcome;
      const tooLarge = this.#facts.tooLarge(after, [changes, telemetry, owed], eventId);
      if (tooLarge !== undefined) return refuse(eventId, 'size', tooLarge);
      this.#facts.keep(tx, { twin: after, told: { twin: changes, telemetry }, eventId, trace, at: now });
      if (updates.some(({ actual }) => actual !== undefined))
        this.#tools.presence.heard(found.definition, publication.clientId, changes.length + telemetry.length > 0);
      const answer = (): void => {
        this.#tools.answers.updated({ before, after, eventId, touched });
        if (before.state?.n !== after.state?.n) this.#tools.answers.stateUpdated(after);
      };
      return { kind: 'done', answer };
    });
  }

  async #updateState(device: DeviceId, publication: Publication): Promise<Outcome> {
    const refuse = refusalsOf(device, 'state/update/result', publication);
    const parsed = parseStateUpdate(publication.payload);
    if (parsed.kind === 'refused') return refuse(parsed.eventId, 'payload', parsed.reason);
    const { eventId } = parsed;
    // Not by its `event_id`: a state is what was said last, and who says everything under one id must not stay offline for it.
    const trace = traceOf(publication, '');
    return commitWith(publication, this.#tools.store, (tx): Outcome => {
      const found = this.#facts.deviceIn(tx, device);
      if (found === undefined) return refuse(eventId, 'unknown', unknownDevice(device));
      if (this.#tools.seen.isRedelivered(found.definition.uid, trace, publication.duplicate)) return NO_ANSWER;
      const now = this.#tools.clock.now();
      const { twin, changes } = applyState(found.twin, parsed.value, now);
      const tooLarge = this.#facts.tooLarge(twin, [changes], eventId);
      if (tooLarge !== undefined) return refuse(eventId, 'size', tooLarge);
      this.#facts.keep(tx, { twin, told: { event: changes }, eventId, trace, at: now });
      this.#tools.presence.heard(found.definition, publication.clientId, changes.length > 0);
      return { kind: 'done', answer: () => this.#tools.answers.stateUpdated(twin) };
    });
  }

  async #getTwin(device: DeviceId, publication: Publication): Promise<Outcome> {
    const refuse = refusalsOf(device, 'twin/get/result', publication);
    const parsed = parseRequest(publication.payload);
    if (parsed.kind === 'refused')
      return refuse(parsed.eventId, 'payload', unreadableGet(shownOf(publication), parsed.reason));
    // Through the committer, so that it sees every update that the same client published before it.
    return commitWith(publication, this.#tools.store, (tx): Outcome => {
      const found = this.#facts.deviceIn(tx, device);
      if (found === undefined)
        return refuse(
          parsed.eventId,
          'unknown',
          saidAsKubeEdge(unknownToGet(deviceKey(device)), unknownDevice(device)),
        );
      return { kind: 'done', answer: () => this.#tools.answers.twinRead(device, found.twin, parsed.eventId) };
    });
  }
}

const unknownDevice = (device: DeviceId): string =>
  `the device ${deviceKey(device)} is not known on this node; apply a Device with that name and this node as spec.nodeName`;
