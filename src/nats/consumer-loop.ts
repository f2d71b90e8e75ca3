// A durable pull consumer as a service: hands over each message, and acknowledges it to the stream only when the handler says
// that its effect is kept. Messages whose handler has not finished are delivered again after a crash or a lost link.
import {
  AckPolicy,
  DeliverPolicy,
  type Consumer,
  type ConsumerInfo,
  type JetStreamManager,
  type JsMsg,
  NatsError,
  type NatsConnection,
  type StoredMsg,
} from 'nats';
import { aborted } from '../kit/aborted.ts';
import { backoffDelay } from '../kit/backoff.ts';
import type { Deadline } from '../kit/deadline.ts';
import { messageOf } from '../kit/errors.ts';
import type { Logger } from '../kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../kit/service.ts';
import { sleep } from '../kit/sleep.ts';
import { TaskGroup } from '../kit/task-group.ts';
import { ms, seconds, type Duration } from '../kit/units.ts';
import type { NatsLink } from './nats-link.ts';

export interface StreamMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly sequence: number;
}

/** `poison`: no retry will help; the reason is logged and the message is not delivered again. */
export type Verdict = 'done' | { readonly retryAfter: Duration } | { readonly poison: string };

export interface ConsumerConfig {
  readonly stream: string;
  readonly durable: string;
}

/** How long what a killed hub had in hand waits for the next one. While a message is in hand its redeliveries cost little. */
const ACK_WAIT_SECONDS = 15;
/** Messages handed over and not yet acknowledged: bounds what a slow Kubernetes can pile up in the hub's memory. */
const MAX_UNACKNOWLEDGED = 10_000;
const REWIND = seconds(600);
/** After a handler that threw, which is a mistake of ours. */
const HANDLER_RETRY = seconds(1);
const RETRY = { first: ms(200), most: seconds(5) };
const NANOSECONDS = 1_000_000_000;
const NANOSECONDS_PER_MILLISECOND = 1_000_000;
/** Times of one message differ by rounding only. */
const SAME_MOMENT = ms(2);

export class ConsumerLoop implements Service {
  readonly name: string;
  readonly #config: ConsumerConfig;
  readonly #link: NatsLink;
  readonly #logger: Logger;
  readonly #handle: (message: StreamMessage) => Promise<Verdict>;
  readonly #tasks = new TaskGroup();
  readonly #inHand = new Map<string, JsMsg>();
  #newest: { readonly sequence: number; readonly at: number } | undefined;
  #pause: AbortController | undefined;
  #reason: string | undefined = 'not consuming yet';

  constructor(
    config: ConsumerConfig,
    tools: {
      readonly link: NatsLink;
      readonly logger: Logger;
      readonly handle: (message: StreamMessage) => Promise<Verdict>;
    },
  ) {
    this.name = `consumer-${config.durable}`;
    this.#config = config;
    this.#link = tools.link;
    this.#logger = tools.logger;
    this.#handle = tools.handle;
  }

  get ended(): Promise<unknown> {
    return this.#tasks.ended;
  }

  start(_signal: AbortSignal): Promise<void> {
    const goOn = (): void => this.#pause?.abort();
    this.#link.onConnected(goOn);
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
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      // Made before the attempt, so that a stop or a connect during it is not slept over.
      const pause = new AbortController();
      this.#pause = pause;
      const connection = this.#link.jetStreamConnection();
      if (connection !== undefined && (await this.#consumeUntil(connection, signal))) attempt = 0;
      if ((await sleep(backoffDelay(RETRY, attempt), pause.signal)) === 'aborted') attempt = 0;
    }
  }

  /** Does not wait for answers of a server that has fallen silent once the loop is to stop. */
  #consumeUntil(connection: NatsConnection, signal: AbortSignal): Promise<boolean> {
    return Promise.race([this.#consumeOver(connection, signal), aborted(signal).then(() => false)]);
  }

  /** Returns true when messages could be consumed for a while, false when not even the consumer could be had. */
  async #consumeOver(connection: NatsConnection, signal: AbortSignal): Promise<boolean> {
    try {
      const consumer = await this.#position(connection);
      if (signal.aborted) return false;
      const messages = await consumer.consume({
        max_messages: 500,
        abort_on_missing_resource: true,
        callback: (message) => this.#hand(message),
      });
      this.#reason = undefined;
      // The library goes on waiting on a connection that has closed for good, so the end of that counts too.
      const failure = await Promise.race([messages.closed(), connection.closed(), aborted(signal)]);
      this.#reason = failure instanceof Error ? messageOf(failure) : 'no link to NATS';
      messages.close().catch((error: unknown) => this.#logger.debug({ reason: messageOf(error) }, 'consumer close'));
      return true;
    } catch (error) {
      this.#reason = messageOf(error);
      this.#logger.debug({ stream: this.#config.stream, reason: this.#reason }, 'cannot consume');
      return false;
    }
  }

  /** A message that is delivered again while it is still in hand is not handed over twice: only its newest delivery counts. */
  #hand(message: JsMsg): void {
    // With the time, because the sequences of a stream that was made anew begin again.
    const key = `${message.seq}.${message.info.timestampNanos}`;
    if (!message.redelivered)
      this.#newest = { sequence: message.seq, at: message.info.timestampNanos / NANOSECONDS_PER_MILLISECOND };
    const isInHand = this.#inHand.has(key);
    this.#inHand.set(key, message);
    if (!isInHand) void this.#settle(key, message);
  }

  async #settle(key: string, message: JsMsg): Promise<void> {
    const verdict = await this.#verdictOn(message);
    const newest = this.#inHand.get(key) ?? message;
    this.#inHand.delete(key);
    try {
      this.#answer(newest, verdict);
    } catch (error) {
      // The connection has closed meanwhile: the message will be delivered again.
      this.#logger.debug({ sequence: message.seq, reason: messageOf(error) }, 'not acknowledged');
    }
  }

  async #verdictOn({ subject, data, seq: sequence }: JsMsg): Promise<Verdict> {
    try {
      return await this.#handle({ subject, data, sequence });
    } catch (error) {
      this.#logger.error({ subject, sequence, reason: messageOf(error) }, 'handler failed; the message comes again');
      return { retryAfter: HANDLER_RETRY };
    }
  }

  #answer(message: JsMsg, verdict: Verdict): void {
    if (verdict === 'done') {
      message.ack();
      return;
    }
    if ('retryAfter' in verdict) {
      message.nak(verdict.retryAfter);
      return;
    }
    const { subject, seq: sequence } = message;
    this.#logger.error({ subject, sequence, reason: verdict.poison }, 'message set aside');
    message.term();
  }

  /** Makes the consumer where there is none, and winds it back where the server lost the end of its stream (ADR 0004). */
  async #position(connection: NatsConnection): Promise<Consumer> {
    const { stream, durable } = this.#config;
    const jsm = await connection.jetstreamManager();
    const found = await consumerInfo(jsm, stream, durable);
    const { last_seq: lastSequence } = (await jsm.streams.info(stream)).state;
    if (found !== undefined && (await this.#hasLostTail(jsm, found, lastSequence))) {
      this.#logger.warn(
        { stream, consumer: durable },
        'the stream lost its tail; consuming again from ten minutes back',
      );
      await jsm.consumers.delete(stream, durable);
      await this.#create(jsm, new Date(Date.now() - REWIND));
    } else if (found === undefined) {
      await this.#create(jsm);
    }
    return connection.jetstream().consumers.get(stream, durable);
  }

  /** Also when the lost places are filled again already: then the newest message that we saw is not the one in its place. */
  async #hasLostTail(jsm: JetStreamManager, found: ConsumerInfo, lastSequence: number): Promise<boolean> {
    const newest = this.#newest;
    if (found.delivered.stream_seq > lastSequence) return true;
    if (newest === undefined) return false;
    if (newest.sequence > lastSequence) return true;
    const stored = await messageAt(jsm, this.#config.stream, newest.sequence);
    return stored !== undefined && Math.abs(stored.time.getTime() - newest.at) > SAME_MOMENT;
  }

  async #create(jsm: JetStreamManager, from?: Date): Promise<void> {
    await jsm.consumers.add(this.#config.stream, {
      durable_name: this.#config.durable,
      ack_policy: AckPolicy.Explicit,
      ack_wait: ACK_WAIT_SECONDS * NANOSECONDS,
      max_ack_pending: MAX_UNACKNOWLEDGED,
      ...(from === undefined
        ? { deliver_policy: DeliverPolicy.All }
        : { deliver_policy: DeliverPolicy.StartTime, opt_start_time: from.toISOString() }),
    });
  }
}

/** `undefined` when the stream's limits have removed it. */
async function messageAt(jsm: JetStreamManager, stream: string, sequence: number): Promise<StoredMsg | undefined> {
  try {
    return await jsm.streams.getMessage(stream, { seq: sequence });
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.code === 404) return undefined;
    throw error;
  }
}

async function consumerInfo(jsm: JetStreamManager, stream: string, durable: string): Promise<ConsumerInfo | undefined> {
  for await (const info of jsm.consumers.list(stream)) if (info.name === durable) return info;
  return undefined;
}
