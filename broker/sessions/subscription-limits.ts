// How many subscriptions there are, persistent or not, and which are refused: one client may have so many, all together so many, and
// no filter may be longer than it costs to match. What is refused is told in the SUBACK (MQTT 3.1.1, 3.9.3).
import type { BrokerLimits } from '../limits.ts';

type Limits = Pick<BrokerLimits, 'clientSubscriptions' | 'totalSubscriptions' | 'filterLength'>;

export class SubscriptionLimits {
  readonly #limits: Limits;
  readonly #filters = new Map<string, Set<string>>();
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
    const filters = this.#filters.get(client);
    if (filters?.has(subscription.topic) === true) return undefined;
    const limit = this.#against(subscription.topic, filters?.size ?? 0);
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
    const filters = this.#filters.get(client) ?? new Set();
    this.#total += filters.has(filter) ? 0 : 1;
    this.#filters.set(client, filters.add(filter));
  }

  give(client: string, given: readonly string[]): void {
    const filters = this.#filters.get(client);
    for (const filter of given) if (filters?.delete(filter) === true) this.#total -= 1;
    if (filters?.size === 0) this.#filters.delete(client);
  }

  giveAll(client: string): void {
    this.#total -= this.#filters.get(client)?.size ?? 0;
    this.#filters.delete(client);
  }

  #against(filter: string, held: number): keyof Limits | undefined {
    const { clientSubscriptions, totalSubscriptions, filterLength } = this.#limits;
    if (filter.length > filterLength) return 'filterLength';
    if (held >= clientSubscriptions) return 'clientSubscriptions';
    return this.#total >= totalSubscriptions ? 'totalSubscriptions' : undefined;
  }
}
