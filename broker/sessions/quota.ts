// What waits for sessions and what is retained, counted against the limits: who has to give way to whom. Pure bookkeeping;
// `outgoing-queues.ts` and `retained-messages.ts` ask it.
import type { BrokerLimits } from '../limits.ts';
import type { DropReason } from './statistics.ts';

type SessionLimits = Pick<
  BrokerLimits,
  'sessionMessages' | 'sessionBytes' | 'totalSessionMessages' | 'totalSessionBytes'
>;

interface Amount {
  readonly messages: number;
  readonly bytes: number;
}

interface Holding {
  messages: number;
  bytes: number;
  /** Of these, what cannot be dropped. */
  boundMessages: number;
  boundBytes: number;
}

export interface Excess {
  readonly session: string;
  readonly reason: Exclude<DropReason, 'expired'>;
}

export class SessionQuota {
  readonly #limits: SessionLimits;
  readonly #sessions = new Map<string, Holding>();
  #messages = 0;
  #bytes = 0;

  constructor(limits: SessionLimits) {
    this.#limits = limits;
  }

  get total(): Amount {
    return { messages: this.#messages, bytes: this.#bytes };
  }

  /** Counts one more message, whatever the limits: `excess` says what follows. */
  add(session: string, size: number): void {
    const holding = this.#sessions.get(session) ?? { messages: 0, bytes: 0, boundMessages: 0, boundBytes: 0 };
    this.#sessions.set(session, holding);
    this.#count(holding, 1, size);
  }

  /** One of those that were counted cannot be dropped from now on. */
  bind(session: string, size: number): void {
    const holding = this.#sessions.get(session);
    if (holding === undefined) return;
    holding.boundMessages += 1;
    holding.boundBytes += size;
  }

  /** One message less, of those that were counted. */
  give(session: string, size: number, isBound: boolean): void {
    const holding = this.#sessions.get(session);
    if (holding === undefined) return;
    this.#count(holding, -1, -size);
    if (isBound) {
      holding.boundMessages -= 1;
      holding.boundBytes -= size;
    }
    if (holding.messages === 0) this.#sessions.delete(session);
  }

  /**
   * The session, if any, whose oldest message has to go, and by which limit. Asked after `session` got one, until there is none:
   * it answers for its own limits; for those of all together the one that holds most does, so that who is long away does not take
   * the room of the others.
   */
  excess(session: string): Excess | undefined {
    const holding = this.#sessions.get(session);
    if (holding === undefined) return undefined;
    const { sessionMessages, sessionBytes, totalSessionMessages, totalSessionBytes } = this.#limits;
    if (holding.messages > sessionMessages) return { session, reason: 'client-messages' };
    if (holding.bytes > sessionBytes) return { session, reason: 'client-bytes' };
    if (this.#messages > totalSessionMessages)
      return { session: this.#fullest(freeMessages), reason: 'total-messages' };
    if (this.#bytes > totalSessionBytes) return { session: this.#fullest(freeBytes), reason: 'total-bytes' };
    return undefined;
  }

  #fullest(measure: (holding: Holding) => number): string {
    let fullest = '';
    let most = 0;
    for (const [session, holding] of this.#sessions) {
      const free = measure(holding);
      if (free > most) [fullest, most] = [session, free];
    }
    return fullest;
  }

  #count(holding: Holding, messages: number, size: number): void {
    holding.messages += messages;
    holding.bytes += size;
    this.#messages += messages;
    this.#bytes += size;
  }
}

const freeMessages = ({ messages, boundMessages }: Holding): number => messages - boundMessages;
const freeBytes = ({ bytes, boundBytes }: Holding): number => bytes - boundBytes;

export class RetainedQuota {
  readonly #limits: Pick<BrokerLimits, 'retainedTopics' | 'retainedBytes'>;
  readonly #sizes = new Map<string, number>();
  #bytes = 0;

  constructor(limits: Pick<BrokerLimits, 'retainedTopics' | 'retainedBytes'>) {
    this.#limits = limits;
  }

  get total(): { readonly topics: number; readonly bytes: number } {
    return { topics: this.#sizes.size, bytes: this.#bytes };
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
