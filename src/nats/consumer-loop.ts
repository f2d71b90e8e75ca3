// A durable pull consumer as a service: hands over each message, and acknowledges it to the stream only when the handler says
// that its effect is kept. Messages whose handler has not finished are delivered again after a crash or a lost link.
import type { JetStreamManager, NatsConnection } from 'nats';
import { backoffDelay } from '../kit/backoff.ts';
import type { Deadline } from '../kit/deadline.ts';
import { messageOf } from '../kit/errors.ts';
import { Interruptible } from '../kit/interruptible.ts';
import type { Logger } from '../kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../kit/service.ts';
import { sleep } from '../kit/sleep.ts';
import { TaskGroup } from '../kit/task-group.ts';
import { bytes, mebibytes, ms, seconds, type Duration } from '../kit/units.ts';
import { MAX_MESSAGE_BYTES } from '../wire/limits.ts';
import { keepCheckpoint, takePosition, type ConsumerConfig } from './consumer-position.ts';
import type { Delivery } from './delivery.ts';
import { InHand } from './in-hand.ts';
import type { NatsLink } from './nats-link.ts';
import { pullFrom } from './pull.ts';
import type { ServerMade } from './server-made.ts';

export interface StreamMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  /** Nobody wrote it: somebody had the server answer there. */
  readonly made?: ServerMade | undefined;
  readonly sequence: number;
  /** When the stream stored it. */
  readonly storedAt: Date;
}

/** `poison`: no retry will help; the message is set aside with that reason and not delivered again. */
export type Verdict = 'done' | { readonly retryAfter: Duration } | { readonly poison: string };

/** Where poison goes: resolves once the message is kept there. */
export interface PoisonKeeper {
  setAside(stream: string, message: StreamMessage, reason: string): Promise<void>;
}

export interface ConsumerTools {
  readonly link: NatsLink;
  readonly logger: Logger;
  readonly poison: PoisonKeeper;
  readonly handle: (message: StreamMessage) => Promise<Verdict>;
}

/** Payload that a slow Kubernetes can pile up here, without what decoding makes of it; the stream holds the rest. */
const IN_HAND = { limit: mebibytes(64), largest: bytes(MAX_MESSAGE_BYTES) };
const CHECKPOINT_EVERY = seconds(2);
/** After a handler that threw, which is a mistake of ours, and for poison that cannot be set aside yet. */
const HANDLER_RETRY = seconds(1);
const RETRY = { first: ms(200), most: seconds(5) };

export class ConsumerLoop implements Service {
  readonly name: string;
  readonly #config: ConsumerConfig;
  readonly #tools: ConsumerTools;
  readonly #tasks = new TaskGroup();
  readonly #inHand = new InHand(IN_HAND);
  #settledSinceCheckpoint = false;
  #pause: AbortController | undefined;
  #reason: string | undefined = 'not consuming yet';

  constructor(config: ConsumerConfig, tools: ConsumerTools) {
    this.name = `consumer-${config.durable}`;
    this.#config = config;
    this.#tools = tools;
  }

  get ended(): Promise<unknown> {
    return this.#tasks.ended;
  }

  start(_signal: AbortSignal): Promise<void> {
    const goOn = (): void => this.#pause?.abort();
    this.#tools.link.onConnected(goOn);
    this.#tasks.signal.addEventListener('abort', goOn, { once: true });
    this.#tasks.run('consume', (signal) => this.#consume(signal));
    return Promise.resolve();
  }

  async stop(deadline: Deadline): Promise<void> {
    await this.#tasks.close(deadline);
  }

  health(): Health {
    return this.#reason === undefined
      ? HEALTHY
      : { state: 'degraded', reason: `stream ${this.#config.stream}: ${this.#reason}` };
  }

  async #consume(signal: AbortSignal): Promise<void> {
    // Once the loop is to stop, nobody waits for answers of a server that has fallen silent.
    const waits = new Interruptible(signal);
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      // Made before the attempt, so that a stop or a connect during it is not slept over.
      const pause = new AbortController();
      this.#pause = pause;
      const connection = this.#tools.link.jetStreamConnection();
      if (connection !== undefined && (await waits.wait(this.#consumeOver(connection, signal)))) attempt = 0;
      if ((await sleep(backoffDelay(RETRY, attempt), pause.signal)) === 'aborted') attempt = 0;
    }
  }

  /** Returns true when messages could be consumed for a while, false when not even the consumer could be had. */
  async #consumeOver(connection: NatsConnection, signal: AbortSignal): Promise<boolean> {
    const { stream } = this.#config;
    const round = new AbortController();
    let isConsuming = false;
    try {
      const jsm = await connection.jetstreamManager();
      const name = await takePosition(jsm, this.#config, this.#tools.logger);
      isConsuming = true;
      this.#reason = undefined;
      void this.#keepCheckpoints(jsm, name, round.signal);
      const room = (): Promise<number> => this.#inHand.room();
      const onMessage = (delivery: Delivery): void => this.#hand(delivery);
      const consumer = { stream, name, inbox: this.#tools.link.newInbox() };
      await pullFrom(connection, consumer, { room, onMessage }, signal);
    } catch (error) {
      this.#reason = messageOf(error);
      this.#tools.logger.debug({ stream, reason: this.#reason }, 'cannot consume');
    } finally {
      round.abort();
    }
    return isConsuming;
  }

  /** Best effort: without a newer checkpoint more is consumed again, and nothing is lost. */
  async #keepCheckpoints(jsm: JetStreamManager, name: string, signal: AbortSignal): Promise<void> {
    const { stream } = this.#config;
    while ((await sleep(CHECKPOINT_EVERY, signal)) === 'elapsed') {
      if (!this.#settledSinceCheckpoint) continue;
      this.#settledSinceCheckpoint = false;
      try {
        await keepCheckpoint(jsm, stream, name);
      } catch (error) {
        this.#tools.logger.debug({ stream, reason: messageOf(error) }, 'checkpoint not kept');
      }
    }
  }

  /** A message that is delivered again while it is still in hand is not handed over twice: only its newest delivery counts. */
  #hand(delivery: Delivery): void {
    if (this.#inHand.take(delivery)) void this.#settle(delivery);
  }

  async #settle(delivery: Delivery): Promise<void> {
    const verdict = await this.#carriedOut(delivery, await this.#verdictOn(delivery));
    const newest = this.#inHand.release(delivery);
    this.#settledSinceCheckpoint = true;
    try {
      if (verdict === 'done') newest.acknowledge();
      else if ('retryAfter' in verdict) newest.refuse(verdict.retryAfter);
      else newest.terminate();
    } catch (error) {
      // The connection has closed meanwhile: the message will be delivered again.
      this.#tools.logger.debug({ sequence: delivery.sequence, reason: messageOf(error) }, 'not acknowledged');
    }
  }

  async #verdictOn(delivery: Delivery): Promise<Verdict> {
    const { subject, sequence } = delivery;
    try {
      return await this.#tools.handle(delivery);
    } catch (error) {
      const fields = { subject, sequence, reason: messageOf(error) };
      this.#tools.logger.error(fields, 'handler failed; the message comes again');
      return { retryAfter: HANDLER_RETRY };
    }
  }

  /** Poison is given up only once it is kept elsewhere. */
  async #carriedOut(delivery: Delivery, verdict: Verdict): Promise<Verdict> {
    if (verdict === 'done' || 'retryAfter' in verdict) return verdict;
    const { subject, sequence } = delivery;
    try {
      await this.#tools.poison.setAside(this.#config.stream, delivery, verdict.poison);
      return verdict;
    } catch (error) {
      const fields = { subject, sequence, reason: messageOf(error) };
      this.#tools.logger.warn(fields, 'message cannot be set aside yet; it comes again');
      return { retryAfter: HANDLER_RETRY };
    }
  }
}
