// STOP 6': stored twins → MQTT. Everything published here is derived from what is on disk, so a restart loses nothing that is
// not derived again. Nothing under `$hw` is retained; mappers read the retained `$skerry/mapper/…` topics.
import { randomUUID } from 'node:crypto';
import type { StampClock } from '../../kit/stamp-clock.ts';
import type { DeviceDefinition, DeviceId } from '../../model/device.ts';
import type { Touched } from '../../model/property-update.ts';
import type { Twin } from '../../model/twin.ts';
import { answerTopics, mapperTopic, membershipTopic, type DeviceAnswer } from '../../wire/mqtt-topics.ts';
import { twinWithTimes } from '../twin/twin-times.ts';
import { membershipPayload, membershipUpdatedPayload, msgDevice } from './membership-payloads.ts';
import {
  deltaPayload,
  documentPayload,
  errorPayload,
  resultPayload,
  statePayload,
  twinPayload,
} from './twin-payloads.ts';

/** The part of the broker that egress uses. Publishing to local clients never waits and never fails. */
export interface LocalPublisher {
  publish(topic: string, payload: string, options?: { readonly qos?: 0 | 1; readonly retain?: boolean }): unknown;
  /** Whether anybody would receive it: building answers that nobody reads is the largest cost of an update. */
  hasSubscribers(topic: string): boolean;
}

export interface EgressTools {
  readonly broker: LocalPublisher;
  readonly clock: StampClock;
}

/** At least once, as KubeEdge's own broker client publishes. */
const ANSWER = { qos: 1 } as const;
const RETAINED = { qos: 1, retain: true } as const;

export class Egress {
  readonly #node: string;
  readonly #broker: LocalPublisher;
  readonly #clock: StampClock;

  constructor({ node }: { readonly node: string }, tools: EgressTools) {
    this.#node = node;
    this.#broker = tools.broker;
    this.#clock = tools.clock;
  }

  /** Result, document, delta, in this order. */
  updated(update: {
    readonly before: Twin;
    readonly after: Twin;
    readonly eventId: string;
    readonly touched: readonly Touched[];
  }): void {
    const { before, after, eventId, touched } = update;
    const head = this.#head(eventId);
    this.#answer(after, 'twin/update/result', () => resultPayload(head, this.#timed(after), touched));
    const named = touched.map(({ property }) => property);
    this.#answer(after, 'twin/update/document', () =>
      documentPayload(head, this.#timed(before), this.#timed(after), named),
    );
    this.#publishDelta(after);
  }

  refused(refusal: {
    readonly answerTopics: readonly string[];
    readonly anonymousTopic?: string;
    readonly rejectedTopic: string;
    readonly topic: string;
    readonly eventId: string;
    readonly code: number;
    readonly reason: string;
    readonly original: object;
  }): void {
    const { eventId, topic, code, reason, original, anonymousTopic } = refusal;
    this.#publish(refusal.answerTopics, () => errorPayload(this.#head(eventId), { code, reason }));
    if (anonymousTopic !== undefined)
      this.#publish([anonymousTopic], () => errorPayload(this.#head(''), { code, reason }));
    const rejected = { event_id: eventId, topic, code, reason, ...original };
    this.#broker.publish(refusal.rejectedTopic, JSON.stringify(rejected), ANSWER);
  }

  twinRead(device: DeviceId, twin: Twin, eventId: string): void {
    this.#answer(device, 'twin/get/result', () => twinPayload(this.#head(eventId), this.#timed(twin)));
  }

  stateUpdated(twin: Twin): void {
    this.#answer(twin, 'state/update/result', () => statePayload(this.#head(randomUUID()), this.#timed(twin)));
  }

  membershipRead(
    devices: readonly { readonly definition: DeviceDefinition; readonly twin: Twin }[],
    eventId: string,
  ): void {
    this.#publish([membershipTopic(this.#node, 'get/result')], () => {
      const members = devices.map(({ definition, twin }) => msgDevice(definition, this.#timed(twin)));
      return membershipPayload(this.#head(eventId), members);
    });
  }

  /** A device came to this node. */
  joined(definition: DeviceDefinition, twin: Twin): void {
    this.#publish([membershipTopic(this.#node, 'updated')], () =>
      membershipUpdatedPayload(this.#head(randomUUID()), { added: msgDevice(definition, this.#timed(twin)) }),
    );
  }

  /** A device left this node. */
  left(definition: DeviceDefinition): void {
    this.#publish([membershipTopic(this.#node, 'updated')], () =>
      membershipUpdatedPayload(this.#head(randomUUID()), { removed: msgDevice(definition) }),
    );
  }

  /** The cloud, or somebody at this node, wants something else of the device: document, delta, and the mapper's copy. */
  desiredChanged(before: Twin | undefined, after: Twin, properties: readonly string[]): void {
    if (properties.length === 0) return;
    this.#answer(after, 'twin/update/document', () =>
      documentPayload(this.#head(randomUUID()), before && this.#timed(before), this.#timed(after), properties),
    );
    this.#publishDelta(after);
  }

  /** What mappers must know of the device, retained; also said again after every start. */
  defined(definition: DeviceDefinition, twin: Twin): void {
    // The twin's desired value stands in the place of the cloud's: the two differ under a local override.
    const properties = definition.properties.map((property) => ({
      ...property,
      desired: twin.properties[property.name]?.desired?.value,
    }));
    const { namespace, name, protocol, protocolConfig } = definition;
    const payload = { device: { namespace, name }, protocol, protocolConfig, properties };
    this.#broker.publish(mapperTopic(protocol, definition), JSON.stringify(payload), RETAINED);
  }

  /** What is still wanted of the device, if anything is; sessions that are away keep it. */
  outstanding(twin: Twin): void {
    this.#publishDelta(twin);
  }

  /** An empty retained message takes the mapper's copy away. */
  removed(definition: DeviceDefinition): void {
    this.#broker.publish(mapperTopic(definition.protocol, definition), '', RETAINED);
  }

  #publishDelta(twin: Twin): void {
    this.#answer(twin, 'twin/update/delta', () => deltaPayload(this.#head(randomUUID()), this.#timed(twin)));
  }

  #answer(device: DeviceId, answer: DeviceAnswer, build: () => string | undefined): void {
    this.#publish(answerTopics(device, answer), build);
  }

  /** The payload is built once, and only when somebody listens on any form of the topic. */
  #publish(forms: readonly string[], build: () => string | undefined): void {
    const topics = forms.filter((topic) => this.#broker.hasSubscribers(topic));
    if (topics.length === 0) return;
    const payload = build();
    if (payload === undefined) return;
    for (const topic of topics) this.#broker.publish(topic, payload, ANSWER);
  }

  #timed(twin: Twin): Twin {
    return twinWithTimes(twin, this.#clock.timeOf);
  }

  #head(eventId: string): { readonly eventId: string; readonly now: number } {
    return { eventId, now: this.#clock.now() };
  }
}
