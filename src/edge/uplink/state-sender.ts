// State beside facts: while a device has a backlog, its newest twin also goes to the last-value stream, so that after an outage
// the picture in the cloud is right in seconds and the history completes behind it. And once after every claim and every new
// binding: what this node knows counts from then on, also where the device has nothing new to say and the server has lost what it
// was told. And where a property is declared that was not: the cloud kept nothing of its values. And once in a while for a device that is alive and has no news. Never instead of the facts.
import type { Deadline } from '../../kit/deadline.ts';
import { messageOf } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { sleep } from '../../kit/sleep.ts';
import type { TimeOf } from '../../kit/stamp-clock.ts';
import { TaskGroup } from '../../kit/task-group.ts';
import { seconds } from '../../kit/units.ts';
import { declaredNames, deviceKey, type DeviceDefinition, type DeviceId } from '../../model/device.ts';
import type { Change, Fact, StateChange } from '../../model/fact.ts';
import { overrideChange } from '../../model/override-rules.ts';
import type { Twin, TwinProperty } from '../../model/twin.ts';
import { receiptOf } from '../../nats/direct-get.ts';
import type { NatsLink } from '../../nats/nats-link.ts';
import { BATCH_CONTENT_TYPE } from '../../wire/device-events.ts';
import { stateSubject } from '../../wire/nats-subjects.ts';
import { withTimes } from './fact-times.ts';
import { stateMessage } from './state-message.ts';

export interface StateSenderTools {
  readonly link: Pick<NatsLink, 'request' | 'onDisconnected' | 'largestMessage'>;
  readonly twins: () => Iterable<Twin>;
  readonly definitionOf: (device: DeviceId) => DeviceDefinition | undefined;
  /** Facts of the device that the stream has not acknowledged. */
  readonly backlogOf: (device: DeviceId) => number;
  /** Who is alive, when, and whether the cloud should hear of it again. */
  readonly presence: {
    seenAt(twin: Twin): number | undefined;
    isSignDue(device: DeviceId): boolean;
    told(device: DeviceId): void;
  };
  readonly term: () => number;
  readonly timeOf: TimeOf;
  readonly logger: Logger;
}

const HEADERS = { headers: { 'Content-Type': BATCH_CONTENT_TYPE } };
/** At most once a second per device. */
const EVERY = seconds(1);
/** Fewer facts than this are in the stream before a state message would be. */
const WORTH_A_STATE = 100;

/**
 * Every property's newest value, the device's state and the local overrides, as if they had been reported when the device was last
 * alive: nothing that was done to it meanwhile may make it look so. Pure.
 */
export function factOfTwin(twin: Twin, seenAt: number | undefined): Fact {
  const changes: Change[] = [];
  for (const [name, property] of Object.entries(twin.properties)) changes.push(...stateOf(name, property));
  changes.push(stateChange(twin));
  // Also that nothing stands: the cloud may have heard otherwise of a store that was wiped.
  changes.push(overrideChange(twin));
  const { namespace, name, uid, binding } = twin;
  return {
    device: { namespace, name },
    uid,
    binding,
    at: seenAt ?? twin.state?.at ?? twin.overrides?.at ?? 0,
    changes,
  };
}

/**
 * Of whom nothing was said yet nothing is known: older than any word under this binding and term, and newer than those of the node
 * that had the device before, or of a store that was wiped.
 */
function stateChange({ state }: Twin): StateChange {
  return state === undefined
    ? { kind: 'state', state: 'unknown', n: 0, cause: 'not-heard' }
    : { kind: 'state', state: state.state, n: state.n };
}

function* stateOf(property: string, twin: TwinProperty): Generator<Change> {
  const { type, reported, observedDesired, floor } = twin;
  // Whoever heard of the values before they were removed must not keep what has not come back.
  if (floor !== undefined && (reported === undefined || observedDesired === undefined))
    yield { kind: 'removed', property, n: floor };
  if (reported !== undefined) {
    const { value, n, deviceTime } = reported;
    yield { kind: 'reported', property, type, value, n, ...(deviceTime === undefined ? {} : { deviceTime }) };
  }
  if (observedDesired !== undefined)
    yield { kind: 'observed', property, type, value: observedDesired.value, n: observedDesired.n };
}

interface Told {
  /** Under which uid, binding and term. */
  readonly lineage: string;
  readonly definition: DeviceDefinition | undefined;
}

function declaresMore(definition: DeviceDefinition | undefined, before: DeviceDefinition | undefined): boolean {
  if (definition === before || definition === undefined) return false;
  const known = before === undefined ? new Set<string>() : declaredNames(before);
  return definition.properties.some(({ name }) => !known.has(name));
}

export class StateSender implements Service {
  readonly name = 'state-sender';
  readonly #node: string;
  readonly #tools: StateSenderTools;
  readonly #tasks = new TaskGroup();
  #sent = new WeakSet<Twin>();
  /** What the stream has of each device. */
  readonly #told = new Map<string, Told>();
  /** Devices of which was said that their twins are too large. */
  readonly #cut = new Set<string>();
  #isOpen = false;

  constructor(config: { readonly node: string }, tools: StateSenderTools) {
    this.#node = config.node;
    this.#tools = tools;
  }

  get ended(): Promise<unknown> {
    return this.#tasks.ended;
  }

  start(_signal: AbortSignal): Promise<void> {
    this.#tools.link.onDisconnected(() => {
      this.#isOpen = false;
    });
    this.#tasks.run('state', async (signal) => {
      while ((await sleep(EVERY, signal)) === 'elapsed') this.#sendWhere(WORTH_A_STATE);
    });
    return Promise.resolve();
  }

  async stop(deadline: Deadline): Promise<void> {
    await this.#tasks.close(deadline);
  }

  health(): Health {
    return HEALTHY;
  }

  /** A claim holds: publishing may begin, and begins with the state of everything. What the server was told it may have lost. */
  open(): void {
    this.#isOpen = true;
    this.#told.clear();
    this.#sent = new WeakSet();
    this.#sendWhere(1);
  }

  /** The claim is somebody else's: nothing more is published until the next one. */
  close(): void {
    this.#isOpen = false;
  }

  #sendWhere(backlog: number): void {
    if (!this.#isOpen) return;
    const twins = [...this.#tools.twins()];
    for (const twin of twins) {
      const isNews = !this.#sent.has(twin) && (this.#tools.backlogOf(twin) >= backlog || !this.#isTold(twin));
      if (isNews || this.#tools.presence.isSignDue(twin)) void this.#send(twin);
    }
    if (this.#told.size > twins.length) this.#forgetAllBut(twins);
  }

  #forgetAllBut(twins: readonly Twin[]): void {
    const known = new Set(twins.map((twin) => deviceKey(twin)));
    for (const device of this.#told.keys()) if (!known.has(device)) this.#told.delete(device);
    for (const device of this.#cut) if (!known.has(device)) this.#cut.delete(device);
  }

  /** A state that was not confirmed goes again in the next round. Never rejects. */
  async #send(twin: Twin): Promise<void> {
    const { presence } = this.#tools;
    this.#sent.add(twin);
    presence.told(twin);
    const told = { lineage: this.#lineageOf(twin), definition: this.#tools.definitionOf(twin) };
    const fact = withTimes(factOfTwin(twin, presence.seenAt(twin)), this.#tools.timeOf);
    if (await this.#isTaken(twin, fact)) this.#told.set(deviceKey(twin), told);
    else this.#sent.delete(twin);
  }

  async #isTaken(twin: Twin, fact: Fact): Promise<boolean> {
    const id = `state.${twin.uid}.${fact.at}`;
    const stamp = { node: this.#node, id, term: this.#tools.term(), historical: false };
    const { bytes, leftOut } = stateMessage(fact, stamp, this.#tools.link.largestMessage);
    if (leftOut > 0) this.#noteCut(deviceKey(twin), leftOut);
    try {
      const answer = await this.#tools.link.request(stateSubject(this.#node, twin), bytes, HEADERS);
      return receiptOf(answer).kind === 'stored';
    } catch (error) {
      this.#tools.logger.debug({ device: deviceKey(twin), reason: messageOf(error) }, 'state not confirmed');
      return false;
    }
  }

  /** What is left out is told by its facts alone. */
  #noteCut(device: string, leftOut: number): void {
    if (this.#cut.has(device)) return;
    this.#cut.add(device);
    this.#tools.logger.warn(
      { device, leftOut },
      'the twin is too large for one message; part of its state is not sent',
    );
  }

  #isTold(twin: Twin): boolean {
    const told = this.#told.get(deviceKey(twin));
    return told?.lineage === this.#lineageOf(twin) && !declaresMore(this.#tools.definitionOf(twin), told.definition);
  }

  #lineageOf({ uid, binding }: Twin): string {
    return `${uid}.${binding}.${this.#tools.term()}`;
  }
}
