// What waits in memory for sessions that are away, counted: so many messages for one, so many bytes for all. Pure bookkeeping;
// `outgoing-queues.ts` and `retained-messages.ts` ask it before they store.
import type { BrokerLimits } from '../limits.ts';

export class SessionQuota {
  readonly #limits: Pick<BrokerLimits, 'sessionMessages' | 'sessionBytes'>;
  readonly #messages = new Map<string, number>();
  #bytes = 0;

  constructor(limits: Pick<BrokerLimits, 'sessionMessages' | 'sessionBytes'>) {
    this.#limits = limits;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Counts one more message; false, counting nothing, when a limit stands against it. */
  take(session: string, size: number): boolean {
    const messages = this.#messages.get(session) ?? 0;
    if (messages >= this.#limits.sessionMessages || this.#bytes + size > this.#limits.sessionBytes) return false;
    this.add(session, size);
    return true;
  }

  /** Counts one that is there already, whatever the limits. */
  add(session: string, size: number): void {
    const messages = (this.#messages.get(session) ?? 0) + 1;
    this.#messages.set(session, messages);
    this.#bytes += size;
  }

  /** One message less, of those that were counted. */
  give(session: string, size: number): void {
    const messages = (this.#messages.get(session) ?? 0) - 1;
    if (messages > 0) this.#messages.set(session, messages);
    else this.#messages.delete(session);
    this.#bytes -= size;
  }
}

export class RetainedQuota {
  readonly #limits: Pick<BrokerLimits, 'retainedTopics' | 'retainedBytes'>;
  readonly #sizes = new Map<string, number>();
  #bytes = 0;

  constructor(limits: Pick<BrokerLimits, 'retainedTopics' | 'retainedBytes'>) {
    this.#limits = limits;
  }

  /** Counts the topic's retained message as this large; false, leaving the count as it was, when a limit stands against it. */
  set(topic: string, size: number): boolean {
    const before = this.#sizes.get(topic);
    const after = this.#bytes - (before ?? 0) + size;
    if (before === undefined && this.#sizes.size >= this.#limits.retainedTopics) return false;
    if (after > this.#limits.retainedBytes) return false;
    this.#sizes.set(topic, size);
    this.#bytes = after;
    return true;
  }

  delete(topic: string): void {
    this.#bytes -= this.#sizes.get(topic) ?? 0;
    this.#sizes.delete(topic);
  }
}
