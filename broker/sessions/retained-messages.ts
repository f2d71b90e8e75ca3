// The storage side of retained messages: which message each topic holds, bounded by a quota. What the quota keeps out is said
// once, never dropped silently. The broker's own topics are said anew after each start, and neither stored nor counted.
import type { Logger } from '../../src/kit/logger.ts';
import type { BrokerLimits } from '../limits.ts';
import type { KeptMessage, MessageShelf } from './message-shelf.ts';
import { sizeOf } from './queue-place.ts';
import { RetainedQuota } from './quota.ts';
import { retainedKey } from './session-records.ts';
import type { WriteBehind } from './write-behind.ts';

const OWN_RETAINED = '$skerry/';

/** Whether a retained message on this topic is one that the broker itself derives. */
export const isOwnTopic = (topic: string): boolean => topic.startsWith(OWN_RETAINED);

export class RetainedMessages {
  readonly #shelf: MessageShelf;
  readonly #writes: WriteBehind;
  readonly #logger: Logger;
  readonly #quota: RetainedQuota;
  readonly #messages = new Map<string, KeptMessage>();
  #isFull = false;

  constructor(
    limits: BrokerLimits,
    tools: { readonly shelf: MessageShelf; readonly writes: WriteBehind; readonly logger: Logger },
  ) {
    this.#shelf = tools.shelf;
    this.#writes = tools.writes;
    this.#logger = tools.logger;
    this.#quota = new RetainedQuota(limits);
  }

  get statistics() {
    const { topics, bytes } = this.#quota.total;
    return { retainedTopics: topics, retainedBytes: bytes };
  }

  /** False when there is no room for it: then its predecessor must not stand as the newest either, and is gone. */
  set(message: KeptMessage): boolean {
    const { topic } = message;
    if (!this.#fits(topic, sizeOf(message))) {
      this.clear(topic);
      return false;
    }
    const before = this.#messages.get(topic);
    this.#hold(message);
    if (before !== undefined) this.#shelf.release(before);
    this.#writes.put(retainedKey(topic), () => message.n.toString(), before === undefined);
    return true;
  }

  /** As it stood in storage. An older one of the topic may have come out of the journal just before it. */
  restore(message: KeptMessage): boolean {
    if (this.#messages.has(message.topic)) return this.set(message);
    this.#quota.set(message.topic, sizeOf(message));
    this.#hold(message);
    return true;
  }

  clear(topic: string): void {
    this.#quota.delete(topic);
    const before = this.#messages.get(topic);
    if (before === undefined) return;
    this.#messages.delete(topic);
    this.#writes.remove(retainedKey(topic));
    this.#shelf.release(before);
  }

  #hold(message: KeptMessage): void {
    this.#messages.set(message.topic, message);
    this.#shelf.hold(message);
  }

  #fits(topic: string, size: number): boolean {
    const wasFull = this.#isFull;
    this.#isFull = !this.#quota.set(topic, size);
    if (this.#isFull && !wasFull)
      this.#logger.warn({ topic }, 'no room for more retained messages: this one is not retained');
    return !this.#isFull;
  }
}
