// The subscriptions of persistent sessions, by client and as a tree of their filters: which of them match a topic. As the package's own
// has it, a wildcard does not match a level without a name, which MQTT-4.7.1-3 says it does.
import { FilterTree } from '../filter-tree.ts';

export interface Subscription {
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
}

export interface MatchingSubscription extends Subscription {
  readonly clientId: string;
}

export class KeptSubscriptions {
  readonly #clients = new Map<string, Map<string, Subscription>>();
  /** By client. Nothing is queued at QoS 0. */
  readonly #queued = new FilterTree<Map<string, MatchingSubscription>>();
  #count = 0;

  /** How many are queued for, and of how many clients. */
  get counts(): { readonly subsCount: number; readonly clientsCount: number } {
    return { subsCount: this.#count, clientsCount: this.#clients.size };
  }

  /** Whether something is queued by now that was not, or the other way round; so does `remove` say. */
  add(client: string, subscriptions: readonly Subscription[]): boolean {
    const kept = this.#clients.get(client) ?? new Map<string, Subscription>();
    this.#clients.set(client, kept);
    let isChanged = false;
    for (const subscription of subscriptions) {
      kept.set(subscription.topic, subscription);
      const isOther =
        subscription.qos > 0
          ? this.#plant({ ...subscription, clientId: client })
          : this.#prune(client, subscription.topic);
      isChanged ||= isOther;
    }
    return isChanged;
  }

  remove(client: string, filters: readonly string[]): boolean {
    const kept = this.#clients.get(client);
    let isChanged = false;
    for (const filter of filters) if (kept?.delete(filter) === true && this.#prune(client, filter)) isChanged = true;
    if (kept?.size === 0) this.#clients.delete(client);
    return isChanged;
  }

  removeAll(client: string): boolean {
    return this.remove(client, [...(this.#clients.get(client)?.keys() ?? [])]);
  }

  has(client: string): boolean {
    return this.#clients.has(client);
  }

  of(client: string): Subscription[] {
    return [...(this.#clients.get(client)?.values() ?? [])];
  }

  matching(topic: string): MatchingSubscription[] {
    return this.#queued.matching(topic).flatMap((here) => [...here.values()]);
  }

  /** Whether a publication to the topic would be queued. */
  keeps(topic: string): boolean {
    return this.#count > 0 && this.#queued.some(topic);
  }

  *clientsOf(filter: string): Generator<string> {
    for (const [client, kept] of this.#clients) if (kept.has(filter)) yield client;
  }

  #plant(subscription: MatchingSubscription): boolean {
    const { topic, clientId, qos } = subscription;
    const here = this.#queued.get(topic) ?? new Map<string, MatchingSubscription>();
    if (here.size === 0) this.#queued.set(topic, here);
    const before = here.get(clientId);
    if (before === undefined) this.#count += 1;
    here.set(clientId, subscription);
    return before?.qos !== qos;
  }

  #prune(client: string, filter: string): boolean {
    const here = this.#queued.get(filter);
    if (here?.delete(client) !== true) return false;
    this.#count -= 1;
    if (here.size === 0) this.#queued.delete(filter);
    return true;
  }
}
