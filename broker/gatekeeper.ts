// Puts the access policy's and the gate's questions where Aedes asks: in `authorizePublish`, the only hook that runs before the
// PUBACK of QoS 1 and before the PUBREC of QoS 2 (measured). Holds no decision of its own.
import { messageOf } from '../src/kit/errors.ts';
import type { Logger } from '../src/kit/logger.ts';
import { mayPublish } from './access-policy.ts';
import { brokerErrors } from './errors.ts';
import type { Admission, Publication, PublishGate } from './publish-gate.ts';

/** As Aedes hands it over: `undefined` packet ids and text payloads come with last wills only. */
export interface ArrivingPacket {
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly qos: 0 | 1 | 2;
  readonly dup: boolean;
  readonly messageId?: number | undefined;
}

type Answer = (refusal?: Error | null) => void;

export class Gatekeeper {
  readonly #gate: PublishGate;
  readonly #logger: Logger;
  readonly #waiting: (() => void)[] = [];
  #open = 0;

  constructor(gate: PublishGate, logger: Logger) {
    this.#gate = gate;
    this.#logger = logger;
  }

  /** Calls `answer` once: without an error the publication is acknowledged and routed, with one its connection is closed. */
  authorize(clientId: string, packet: ArrivingPacket, answer: Answer): void {
    const { topic } = packet;
    if (!mayPublish(topic)) answer(brokerErrors.BROKER_TOPIC_FORBIDDEN({ client: clientId, topic }));
    else if (this.#gate.concerns(topic)) void this.#ask(publicationOf(clientId, packet), answer);
    else answer(null);
  }

  /** Resolves when no question is open. */
  settled(): Promise<void> {
    if (this.#open === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async #ask(publication: Publication, answer: Answer): Promise<void> {
    this.#open += 1;
    const admission = await this.#admission(publication);
    this.#conclude(publication, admission, answer);
    this.#open -= 1;
    if (this.#open === 0) for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #conclude(publication: Publication, admission: Admission, answer: Answer): void {
    if (admission.kind === 'unavailable') {
      answer(refusalOf(publication));
      return;
    }
    // Aedes writes the PUBACK before `answer` returns; the PUBREC of QoS 2 some microtasks later.
    answer(null);
    const { afterwards } = admission;
    if (afterwards === undefined) return;
    if (publication.qos === 2) setImmediate(() => this.#run(afterwards));
    else this.#run(afterwards);
  }

  #run(afterwards: () => void): void {
    try {
      afterwards();
    } catch (error) {
      this.#logger.error({ reason: messageOf(error) }, 'the answer to an admitted publication failed');
    }
  }

  async #admission(publication: Publication): Promise<Admission> {
    try {
      return await this.#gate.admit(publication);
    } catch (error) {
      this.#logger.error({ topic: publication.topic, reason: messageOf(error) }, 'the publish gate failed');
      return UNAVAILABLE;
    }
  }
}

const UNAVAILABLE: Admission = Object.freeze({ kind: 'unavailable' });

function publicationOf(clientId: string, packet: ArrivingPacket): Publication {
  const { topic, payload, qos, dup, messageId } = packet;
  return {
    clientId,
    topic,
    payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
    qos,
    packetId: messageId,
    duplicate: dup,
  };
}

/** At QoS 0 there is no acknowledgement to withhold and no resend to hope for: it takes its way unkept. */
function refusalOf({ topic, clientId, qos }: Publication): Error | null {
  return qos === 0 ? null : brokerErrors.BROKER_GATE_UNAVAILABLE({ topic, client: clientId });
}
