// Puts the access policy's and the gate's questions where Aedes asks: in `authorizePublish`, the only hook that runs before the
// PUBACK of QoS 1 and before the PUBREC of QoS 2 (measured). Holds no decision of its own.
import { messageOf } from '../src/kit/errors.ts';
import type { Logger } from '../src/kit/logger.ts';
import type { Passports } from './access/passports.ts';
import { limitReached } from './client-limits.ts';
import { BegunExchanges } from './begun-exchanges.ts';
import { brokerErrors } from './errors.ts';
import type { BrokerLimits } from './limits.ts';
import { ReceiveWindow } from './receive-window.ts';
import type { Admission, Publication, PublishGate } from './publish-gate.ts';
import type { Publisher, RoutingSlip } from './sessions/routing-slip.ts';
import type { Sessions } from './sessions/sessions.ts';
import { Turns } from './turns.ts';

/** As Aedes hands it over: `undefined` packet ids and text payloads come with last wills only. */
export interface ArrivingPacket {
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly messageId?: number | undefined;
}

interface Question {
  readonly client: Publisher;
  readonly packet: ArrivingPacket;
  readonly slip: RoutingSlip | undefined;
  readonly isConcerned: boolean;
}

export interface GatekeeperTools {
  readonly gate: PublishGate;
  readonly sessions: Pick<Sessions, 'journal' | 'incoming' | 'wills'>;
  readonly passports: Pick<Passports, 'mayPublish'>;
  /** Hands out what was kept of a publication that Aedes does not route, because its client is gone. */
  readonly routeLate: (slip: RoutingSlip) => void;
  readonly logger: Logger;
}

type Answer = (refusal?: Error | null) => void;

export class Gatekeeper {
  readonly #gate: PublishGate;
  readonly #tools: GatekeeperTools;
  readonly #limits: Pick<BrokerLimits, 'inflight'>;
  readonly #window: ReceiveWindow;
  readonly #begun = new BegunExchanges();
  readonly #turns = new Turns();
  readonly #waiting: (() => void)[] = [];
  /** Connections that are being closed: what they sent behind a publication that was not kept must not be kept before it. */
  readonly #refused = new WeakSet<Publisher>();
  #open = 0;

  constructor(limits: Pick<BrokerLimits, 'inflight'>, tools: GatekeeperTools) {
    this.#limits = limits;
    this.#gate = tools.gate;
    this.#tools = tools;
    this.#window = new ReceiveWindow(limits.inflight);
  }

  /** A client is connected: its session goes on with the QoS 2 publications that it had open. */
  begin(client: Publisher): void {
    this.#window.begin(client, client.clean ? [] : this.#tools.sessions.incoming.ids(client.id));
  }

  /** Calls `answer` once: without an error the publication is acknowledged and routed, with one its connection is closed. */
  authorize(client: Publisher, packet: ArrivingPacket, answer: Answer): void {
    if (isWill(client, packet)) this.#authorize(client, packet, this.#afterWill(client, packet, answer));
    else this.#authorize(client, packet, answer);
  }

  #authorize(client: Publisher, packet: ArrivingPacket, answer: Answer): void {
    const early = this.#answerEarly(client, packet);
    if (early !== undefined) {
      answer(early);
      return;
    }
    if (packet.qos === 2 && packet.messageId !== undefined) this.#authorizeExchange(client, packet, answer);
    else this.#decide(client, packet, answer);
  }

  /** The same packet once more, before this one is answered, is answered after it. */
  #authorizeExchange(client: Publisher, packet: ArrivingPacket, answer: Answer): void {
    const { messageId = 0 } = packet;
    const again = (): void => {
      if (client.closed === true) answer(refusalOf(client, packet));
      else this.#authorize(client, packet, answer);
    };
    if (!this.#begun.begin(client, messageId, again)) return;
    this.#decide(client, packet, (refusal) => {
      answer(refusal);
      this.#begun.end(client, messageId);
    });
  }

  /** Aedes tells by the client's name that its will is over, which may be that of its successor. */
  #afterWill(client: Publisher, packet: ArrivingPacket, answer: Answer): Answer {
    return (refusal) => {
      this.#tools.sessions.wills.over(client, packet);
      answer(refusal);
    };
  }

  #decide(client: Publisher, packet: ArrivingPacket, answer: Answer): void {
    const { journal, wills } = this.#tools.sessions;
    const slip = journal.slip(client, packet, isWill(client, packet) ? wills.recordOf(client, packet) : undefined);
    const isConcerned = this.#gate.concerns(packet.topic);
    const isAsked = isConcerned || slip?.isWanted() === true;
    if (isAsked) void this.#ask({ client, packet, slip, isConcerned }, answer);
    else if (packet.qos > 0 && this.#turns.isOpen(client)) this.#turns.take(client)(() => answer(null));
    else answer(null);
  }

  /** What needs no question: a refusal, `null` for "go on", `undefined` where it must be asked. */
  #answerEarly(client: Publisher, packet: ArrivingPacket): Error | null | undefined {
    const { topic, qos, messageId } = packet;
    if (!this.#mayPublish(client, packet)) return brokerErrors.BROKER_TOPIC_FORBIDDEN({ client: client.id, topic });
    const isExchange = qos === 2 && messageId !== undefined;
    // Admitted before: Aedes finds it as well, and only says PUBREC again.
    if (isExchange && this.#tools.sessions.incoming.has(client.id, messageId)) return null;
    if (this.#refused.has(client) && !isWill(client, packet)) return refusalOf(client, packet);
    if (!isExchange || this.#window.take(client, messageId)) return undefined;
    this.#refused.add(client);
    return limitReached('inflight', this.#limits);
  }

  #mayPublish(client: Publisher, packet: ArrivingPacket): boolean {
    const action = client.leftWill !== undefined || isWill(client, packet) ? 'will' : 'publish';
    return this.#tools.passports.mayPublish(client, packet.topic, action);
  }

  /** Resolves when no question is open. */
  settled(): Promise<void> {
    if (this.#open === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async #ask(question: Question, answer: Answer): Promise<void> {
    this.#open += 1;
    const inTurn = question.packet.qos > 0 ? this.#turns.take(question.client) : atOnce;
    const admission = await this.#admission(question);
    inTurn(() => {
      this.#conclude(question, admission, answer);
      this.#open -= 1;
      if (this.#open === 0) for (const resolve of this.#waiting.splice(0)) resolve();
    });
  }

  #conclude(question: Question, admission: Admission, answer: Answer): void {
    const { client, packet, slip } = question;
    if (admission.kind === 'unavailable') {
      this.#refuse(question, answer);
      return;
    }
    const isTooLate = client.closed === true && !isWill(client, packet);
    if (slip !== undefined && isTooLate) this.#concludeLate(slip);
    else if (slip !== undefined) this.#tools.sessions.journal.admit(slip);
    // Aedes writes the PUBACK before `answer` returns; the PUBREC of QoS 2 some microtasks later.
    answer(isTooLate ? refusalOf(client, packet) : null);
    const { afterwards } = admission;
    if (afterwards === undefined) return;
    if (packet.qos === 2) setImmediate(() => this.#run(afterwards));
    else this.#run(afterwards);
  }

  #refuse({ client, packet, slip }: Question, answer: Answer): void {
    if (packet.qos > 0) this.#refused.add(client);
    // Aedes forgets a will that was refused; those that were left before are kept by who says them.
    if (packet.qos > 0 && isWill(client, packet)) this.#tools.sessions.wills.postpone(client.id, packet);
    if (slip !== undefined) this.#tools.sessions.journal.refused(slip);
    answer(refusalOf(client, packet));
  }

  /** Its client is gone, and was told nothing: at QoS 2 it must send it again, at QoS 1 perhaps it never meant to. */
  #concludeLate(slip: RoutingSlip): void {
    const { sessions, routeLate } = this.#tools;
    if (slip.packet.qos === 2) {
      sessions.journal.drop(slip);
      return;
    }
    sessions.journal.admit(slip);
    routeLate(slip);
  }

  #run(afterwards: () => void): void {
    try {
      afterwards();
    } catch (error) {
      this.#tools.logger.error({ reason: messageOf(error) }, 'the answer to an admitted publication failed');
    }
  }

  async #admission({ client, packet, slip, isConcerned }: Question): Promise<Admission> {
    try {
      const admission = isConcerned ? await this.#gate.admit(publicationOf(client, packet, slip)) : ADMITTED;
      if (admission.kind !== 'unavailable' && slip?.wasAsked === false) await this.#tools.sessions.journal.keep(slip);
      return admission;
    } catch (error) {
      this.#tools.logger.error({ topic: packet.topic, reason: messageOf(error) }, 'the publish gate failed');
      return UNAVAILABLE;
    }
  }
}

/** At QoS 0 nothing is acknowledged, and all of a topic takes the same way. */
const atOnce = (conclude: () => void): void => conclude();

const ADMITTED: Admission = Object.freeze({ kind: 'admit' });
const UNAVAILABLE: Admission = Object.freeze({ kind: 'unavailable' });

function publicationOf(client: Publisher, packet: ArrivingPacket, slip: RoutingSlip | undefined): Publication {
  const { topic, payload, qos, dup, messageId } = packet;
  return {
    clientId: client.id,
    topic,
    payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
    qos,
    packetId: messageId,
    duplicate: dup,
    ...(slip === undefined ? {} : { routing: slip }),
  };
}

/** A last will has no packet id, and is said by one who is gone. */
function isWill(client: Publisher, { messageId }: ArrivingPacket): boolean {
  return messageId === undefined && client.closed === true;
}

/** At QoS 0 there is no acknowledgement to withhold and no resend to hope for: it takes its way unkept. */
function refusalOf(client: Publisher, { topic, qos }: ArrivingPacket): Error | null {
  return qos === 0 ? null : brokerErrors.BROKER_GATE_UNAVAILABLE({ topic, client: client.id });
}
