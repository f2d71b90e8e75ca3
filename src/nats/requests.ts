// Requests and their answers, over one subscription. The library's own take a stored message for what a server says about a request,
// if whoever wrote it gave it the status line of such an answer: then a node would never find the end of its chain (ADR 0034).
import type { Duration } from '../kit/units.ts';
import { natsErrors } from './errors.ts';
import type { NatsMessage } from './nats-message.ts';

interface Pending {
  readonly subject: string;
  readonly resolve: (answer: NatsMessage) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

const NO_RESPONDERS = 503;

export class Requests {
  readonly #inbox: string;
  readonly #pending = new Map<string, Pending>();
  #count = 0;

  /** @param inbox not to be guessed */
  constructor(inbox: string) {
    this.#inbox = inbox;
  }

  /** To be subscribed to. */
  get subject(): string {
    return `${this.#inbox}.*`;
  }

  /** Rejects with NATS_UNAVAILABLE, or NATS_FORBIDDEN. */
  begin(subject: string, timeout: Duration): { readonly reply: string; readonly answer: Promise<NatsMessage> } {
    this.#count += 1;
    const reply = `${this.#inbox}.${this.#count.toString(36)}`;
    const answer = new Promise<NatsMessage>((resolve, reject) => {
      const timer = setTimeout(() => this.#end(reply)?.reject(natsErrors.NATS_UNAVAILABLE({ subject })), timeout);
      this.#pending.set(reply, { subject, resolve, reject, timer });
    });
    return { reply, answer };
  }

  /** It was not sent. */
  cancel(reply: string): void {
    const asked = this.#end(reply);
    asked?.reject(natsErrors.NATS_UNAVAILABLE({ subject: asked.subject }));
  }

  hear(message: NatsMessage): void {
    const asked = this.#end(message.subject);
    if (asked === undefined) return;
    // What a server hands out is an answer, whatever it looks like.
    const isNobodyThere = message.status === NO_RESPONDERS && message.values('Nats-Stream').length === 0;
    if (isNobodyThere) asked.reject(natsErrors.NATS_UNAVAILABLE({ subject: asked.subject }));
    else asked.resolve(message);
  }

  /** The server does not let this user ask there. */
  forbid(subject: string): void {
    for (const [reply, asked] of this.#pending)
      if (asked.subject === subject) this.#end(reply)?.reject(natsErrors.NATS_FORBIDDEN({ subject }));
  }

  /** Nobody will answer any more. */
  giveUp(): void {
    for (const [reply, { subject }] of this.#pending)
      this.#end(reply)?.reject(natsErrors.NATS_UNAVAILABLE({ subject }));
  }

  #end(reply: string): Pending | undefined {
    const asked = this.#pending.get(reply);
    this.#pending.delete(reply);
    clearTimeout(asked?.timer);
    return asked;
  }
}
