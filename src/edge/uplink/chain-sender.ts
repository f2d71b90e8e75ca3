// Publishes with one shared inbox: JetStream's answers find their publish by a token at the end of the reply subject. Five times
// cheaper than the library's request per publish (stack-measured, 3c).
import type { Clock } from '../../kit/clock.ts';
import { Tally } from '../../kit/metrics.ts';
import type { Duration } from '../../kit/units.ts';
import { receiptOf, type PublishReceipt } from '../../nats/direct-get.ts';
import { BATCH_CONTENT_TYPE } from '../../wire/device-events.ts';
import type { NatsLink } from '../../nats/nats-link.ts';
import { BEFORE_HEADER } from '../../wire/message-id.ts';

export interface Publish {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly stream: string;
  readonly messageId: string;
  /** Stream sequence that the subject's newest message must have; 0 for none. */
  readonly expected: number;
  /** Who else stands in the chain, as the header says it; empty for nobody. */
  readonly before: string;
}

/**
 * - `silent`: no answer in time, or the link went. The message may or may not be in the stream.
 * - `forbidden`: the server does not let this user publish there.
 */
export type SendResult = PublishReceipt | { readonly kind: 'silent' } | { readonly kind: 'forbidden' };

const SEND_RESULTS = ['stored', 'wrong-sequence', 'refused', 'unavailable', 'silent', 'forbidden'] as const;

interface Awaited {
  readonly subject: string;
  readonly resolve: (result: SendResult) => void;
  readonly until: number;
}

export class ChainSender {
  readonly #link: NatsLink;
  readonly #clock: Clock;
  readonly #inbox: string;
  readonly #timeout: Duration;
  /** What became of the messages; counted by whoever sends them. */
  readonly results = new Tally<SendResult['kind']>(SEND_RESULTS);
  readonly #awaited = new Map<string, Awaited>();
  #token = 0;

  constructor(
    config: { readonly inbox: string; readonly timeout: Duration },
    tools: { readonly link: NatsLink; readonly clock: Clock },
  ) {
    this.#inbox = config.inbox;
    this.#timeout = config.timeout;
    this.#link = tools.link;
    this.#clock = tools.clock;
  }

  /** To be called once: listens for answers, also after reconnects. */
  listen(): void {
    this.#link.subscribe(`${this.#inbox}.*`, (message) => {
      const token = message.subject.slice(message.subject.lastIndexOf('.') + 1);
      const awaited = this.#awaited.get(token);
      this.#awaited.delete(token);
      awaited?.resolve(receiptOf(message));
    });
    this.#link.onForbidden((subject) => this.#forbid(subject));
  }

  get inFlight(): number {
    return this.#awaited.size;
  }

  /** Never rejects. */
  send({ subject, payload, stream, messageId, expected, before }: Publish): Promise<SendResult> {
    return new Promise((resolve) => {
      this.#token += 1;
      const token = this.#token.toString(36);
      const headers = {
        'Content-Type': BATCH_CONTENT_TYPE,
        'Nats-Expected-Stream': stream,
        'Nats-Msg-Id': messageId,
        'Nats-Expected-Last-Subject-Sequence': String(expected),
        ...(before === '' ? {} : { [BEFORE_HEADER]: before }),
      };
      this.#awaited.set(token, { subject, resolve, until: this.#clock.monotonic() + this.#timeout });
      if (this.#link.publish(subject, payload, { reply: `${this.#inbox}.${token}`, headers })) return;
      this.#awaited.delete(token);
      resolve({ kind: 'silent' });
    });
  }

  #forbid(subject: string): void {
    for (const [token, awaited] of this.#awaited) {
      if (awaited.subject !== subject) continue;
      this.#awaited.delete(token);
      awaited.resolve({ kind: 'forbidden' });
    }
  }

  /** Gives up what has waited too long; called regularly. */
  expire(): void {
    const now = this.#clock.monotonic();
    for (const [token, { resolve, until }] of this.#awaited) {
      if (until > now) break;
      this.#awaited.delete(token);
      resolve({ kind: 'silent' });
    }
  }

  /** The link is gone: nobody will answer any more. */
  giveUp(): void {
    const all = [...this.#awaited.values()];
    this.#awaited.clear();
    for (const { resolve } of all) resolve({ kind: 'silent' });
  }
}
