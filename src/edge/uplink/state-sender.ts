// State beside facts: while a device has a backlog, its newest twin also goes to the last-value stream, so that after an outage
// the picture in the cloud is right in seconds and the history completes behind it. Never instead of the facts.
import type { Deadline } from '../../kit/deadline.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { sleep } from '../../kit/sleep.ts';
import { TaskGroup } from '../../kit/task-group.ts';
import { seconds } from '../../kit/units.ts';
import type { DeviceId } from '../../model/device.ts';
import type { Change, Fact } from '../../model/fact.ts';
import type { Twin } from '../../model/twin.ts';
import type { NatsLink } from '../../nats/nats-link.ts';
import { MAX_MESSAGE_BYTES } from '../../wire/limits.ts';
import { BATCH_CONTENT_TYPE, encodeBatch, encodeFact } from '../../wire/device-events.ts';
import { stateSubject } from '../../wire/nats-subjects.ts';

export interface StateSenderTools {
  readonly link: NatsLink;
  readonly twins: () => Iterable<Twin>;
  /** Facts of the device that the stream has not acknowledged. */
  readonly backlogOf: (device: DeviceId) => number;
  readonly term: () => number;
}

const HEADERS = { headers: { 'Content-Type': BATCH_CONTENT_TYPE } };
/** At most once a second per device. */
const EVERY = seconds(1);
/** Fewer facts than this are in the stream before a state message would be. */
const WORTH_A_STATE = 100;

/** Every property's newest value and the device's state, as if they had just been reported. Pure. */
export function factOfTwin(twin: Twin): Fact {
  const changes: Change[] = [];
  let at = twin.state?.at ?? 0;
  for (const [property, { type, reported, observedDesired }] of Object.entries(twin.properties)) {
    if (reported !== undefined) {
      const { value, n, deviceTime } = reported;
      changes.push({ kind: 'reported', property, type, value, n, ...(deviceTime === undefined ? {} : { deviceTime }) });
      at = Math.max(at, reported.at);
    }
    if (observedDesired !== undefined)
      changes.push({ kind: 'observed', property, type, value: observedDesired.value, n: observedDesired.n });
  }
  if (twin.state !== undefined) changes.push({ kind: 'state', state: twin.state.state, n: twin.state.n });
  const { namespace, name, uid, binding } = twin;
  return { device: { namespace, name }, uid, binding, at, changes };
}

export class StateSender implements Service {
  readonly name = 'state-sender';
  readonly #node: string;
  readonly #tools: StateSenderTools;
  readonly #tasks = new TaskGroup();
  readonly #sent = new WeakSet<Twin>();
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

  /** A claim holds: publishing may begin, and begins with the state of everything that has a backlog. */
  open(): void {
    this.#isOpen = true;
    this.#sendWhere(1);
  }

  /** The claim is somebody else's: nothing more is published until the next one. */
  close(): void {
    this.#isOpen = false;
  }

  #sendWhere(backlog: number): void {
    if (!this.#isOpen) return;
    for (const twin of this.#tools.twins()) {
      if (this.#tools.backlogOf(twin) < backlog || this.#sent.has(twin)) continue;
      const message = this.#messageOf(twin);
      // A twin too large for one message is told by its facts alone.
      const isSendable = message.length <= MAX_MESSAGE_BYTES;
      if (isSendable && !this.#tools.link.publish(stateSubject(this.#node, twin), message, HEADERS)) return;
      this.#sent.add(twin);
    }
  }

  #messageOf(twin: Twin): Uint8Array {
    const fact = factOfTwin(twin);
    const id = `state.${twin.uid}.${fact.at}`;
    return encodeBatch([encodeFact(fact, { node: this.#node, id, term: this.#tools.term(), historical: false })]);
  }
}
