// How many subscriptions there are, persistent or not, and which are refused: one client may have so many, all together so many, where
// a long filter counts for several. What is refused is told in the SUBACK (MQTT 3.1.1, 3.9.3).
import type { BrokerLimits } from '../limits.ts';

type Limits = Pick<BrokerLimits, 'clientSubscriptions' | 'totalSubscriptions'>;

interface Held {
  readonly filters: Set<string>;
  weight: number;
}

export class SubscriptionLimits {
  readonly #limits: Limits;
  readonly #clients = new Map<string, Held>();
  readonly #refusals = new WeakSet<object>();
  #total = 0;
  #refused = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get statistics() {
    return { subscriptions: this.#total, refusedSubscriptions: this.#refused };
  }

  /** Counts it and returns nothing, or says which limit stands against it. One that is there already may be asked for again. */
  take(client: string, subscription: { readonly topic: string }): keyof Limits | undefined {
    const held = this.#clients.get(client);
    if (held?.filters.has(subscription.topic) === true) return undefined;
    const limit = this.#against(weightOf(subscription.topic), held?.weight ?? 0);
    if (limit === undefined) {
      this.add(client, subscription.topic);
      return undefined;
    }
    this.#refused += 1;
    this.#refusals.add(subscription);
    return limit;
  }

  isRefused(subscription: object): boolean {
    return this.#refusals.has(subscription);
  }

  /** As it stood in storage: it has a right to be there. */
  add(client: string, filter: string): void {
    const held = this.#clients.get(client) ?? { filters: new Set(), weight: 0 };
    this.#clients.set(client, held);
    if (!held.filters.has(filter)) this.#count(held, weightOf(filter));
    held.filters.add(filter);
  }

  give(client: string, given: readonly string[]): void {
    const held = this.#clients.get(client);
    if (held === undefined) return;
    for (const filter of given) if (held.filters.delete(filter)) this.#count(held, -weightOf(filter));
    if (held.filters.size === 0) this.#clients.delete(client);
  }

  giveAll(client: string): void {
    this.give(client, [...(this.#clients.get(client)?.filters ?? [])]);
  }

  #count(held: Held, weight: number): void {
    held.weight += weight;
    this.#total += weight;
  }

  #against(weight: number, held: number): keyof Limits | undefined {
    if (held + weight > this.#limits.clientSubscriptions) return 'clientSubscriptions';
    return this.#total + weight > this.#limits.totalSubscriptions ? 'totalSubscriptions' : undefined;
  }
}

/** A filter may be 64 KiB long. */
const weightOf = (filter: string): number => Math.ceil(filter.length / 1024);
