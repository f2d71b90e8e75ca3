// A durable pull consumer as a service: hands over each message, and acknowledges it to the stream only when the handler says
// that its effect is kept. Messages whose handler has not finished are delivered again after a crash or a lost link.
import {
  AckPolicy,
  DeliverPolicy,
  type Consumer,
  type ConsumerInfo,
  type JetStreamManager,
  type JsMsg,
  type NatsConnection,
} from 'nats';
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

const ACK_WAIT_SECONDS = 60;
/** Messages handed over and not yet acknowledged: bounds what a slow Kubernetes can pile up in the hub's memory. */
const MAX_UNACKNOWLEDGED = 10_000;
const REWIND = seconds(600);
const RETRY = { first: ms(200), most: seconds(5) };
const NANOSECONDS = 1_000_000_000;

export class ConsumerLoop implements Service {
  readonly name: string;
  readonly #config: ConsumerConfig;
  readonly #link: NatsLink;
  readonly #logger: Logger;
  readonly #handle: (message: StreamMessage) => Promise<Verdict>;
  readonly #tasks = new TaskGroup();
  #reason: string | undefined = 'not consuming yet';
  #close: (() => Promise<void>) | undefined;

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
    this.#tasks.run('consume', (signal) => this.#consume(signal));
    return Promise.resolve();
  }

  async stop(deadline: Deadline): Promise<void> {
    const closing = this.#close?.().catch((error: unknown) =>
      this.#logger.debug({ reason: messageOf(error) }, 'consumer close'),
    );
    await this.#tasks.close(deadline);
    await deadline.wait(Promise.resolve(closing), undefined);
  }

  health(): Health {
    return this.#reason === undefined
      ? HEALTHY
      : { state: 'degraded', reason: `stream ${this.#config.stream}: ${this.#reason}` };
  }

  async #consume(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      const connection = this.#link.jetStreamConnection();
      if (connection !== undefined && (await this.#consumeOver(connection, signal))) attempt = 0;
      await sleep(backoffDelay(RETRY, attempt), signal);
    }
  }

  /** Returns true when messages could be consumed for a while, false when not even the consumer could be had. */
  async #consumeOver(connection: NatsConnection, signal: AbortSignal): Promise<boolean> {
    try {
      const consumer = await this.#position(connection);
      const messages = await consumer.consume({ max_messages: 500 });
      this.#close = async () => {
        await messages.close();
      };
      signal.addEventListener('abort', () => void this.#close?.(), { once: true });
      this.#reason = undefined;
      for await (const message of messages) void this.#hand(message);
      return true;
    } catch (error) {
      this.#reason = messageOf(error);
      this.#logger.debug({ stream: this.#config.stream, reason: this.#reason }, 'cannot consume');
      return false;
    } finally {
      this.#close = undefined;
    }
  }

  async #hand(message: JsMsg): Promise<void> {
    const verdict = await this.#handle({ subject: message.subject, data: message.data, sequence: message.seq });
    if (verdict === 'done') message.ack();
    else if ('retryAfter' in verdict) message.nak(verdict.retryAfter);
    else {
      this.#logger.error(
        { subject: message.subject, sequence: message.seq, reason: verdict.poison },
        'message set aside',
      );
      message.term();
    }
  }

  /** Makes the consumer where there is none, and winds it back where the server lost the end of its stream (ADR 0004). */
  async #position(connection: NatsConnection): Promise<Consumer> {
    const { stream, durable } = this.#config;
    const jsm = await connection.jetstreamManager();
    const found = await consumerInfo(jsm, stream, durable);
    const { last_seq: lastSequence } = (await jsm.streams.info(stream)).state;
    if (found !== undefined && found.delivered.stream_seq > lastSequence) {
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

async function consumerInfo(jsm: JetStreamManager, stream: string, durable: string): Promise<ConsumerInfo | undefined> {
  for await (const info of jsm.consumers.list(stream)) if (info.name === durable) return info;
  return undefined;
}
