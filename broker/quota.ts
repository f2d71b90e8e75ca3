// What waits in memory for sessions that are away, counted: so many messages for one, so many bytes for all. Pure bookkeeping;
// `bounded-persistence.ts` asks it before it stores.
import type { BrokerLimits } from './limits.ts';

interface Account {
  messages: number;
  bytes: number;
}

export class SessionQuota {
  readonly #limits: Pick<BrokerLimits, 'sessionMessages' | 'sessionBytes'>;
  readonly #accounts = new Map<string, Account>();
  #bytes = 0;

  constructor(limits: Pick<BrokerLimits, 'sessionMessages' | 'sessionBytes'>) {
    this.#limits = limits;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Counts one more message; false, counting nothing, when a limit stands against it. */
  take(session: string, size: number): boolean {
    const account = this.#accounts.get(session) ?? { messages: 0, bytes: 0 };
    if (account.messages >= this.#limits.sessionMessages || this.#bytes + size > this.#limits.sessionBytes)
      return false;
    account.messages += 1;
    account.bytes += size;
    this.#bytes += size;
    this.#accounts.set(session, account);
    return true;
  }

  /** One message less. Its size may be unknown (QoS 2 stores a PUBREL in its place): then it counts as an average one. */
  give(session: string, size: number | undefined): void {
    const account = this.#accounts.get(session);
    if (account === undefined) return;
    const freed =
      account.messages === 1 ? account.bytes : Math.min(account.bytes, size ?? account.bytes / account.messages);
    account.messages -= 1;
    account.bytes -= freed;
    this.#bytes -= freed;
    if (account.messages === 0) this.#accounts.delete(session);
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
