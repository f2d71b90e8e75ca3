// The subscriptions of persistent sessions, by client and as a tree of topic levels: which of them match a topic. As the package's own
// has it, a wildcard does not match a level without a name, which MQTT-4.7.1-3 says it does.

export interface Subscription {
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
}

export interface MatchingSubscription extends Subscription {
  readonly clientId: string;
}

interface Level {
  readonly next: Map<string, Level>;
  /** By client: those whose filter ends here. */
  readonly here: Map<string, MatchingSubscription>;
}

const createLevel = (): Level => ({ next: new Map(), here: new Map() });

export class KeptSubscriptions {
  readonly #clients = new Map<string, Map<string, Subscription>>();
  readonly #root = createLevel();
  #count = 0;

  /** How many are queued for, and of how many clients. */
  get counts(): { readonly subsCount: number; readonly clientsCount: number } {
    return { subsCount: this.#count, clientsCount: this.#clients.size };
  }

  add(client: string, subscriptions: readonly Subscription[]): void {
    const kept = this.#clients.get(client) ?? new Map<string, Subscription>();
    this.#clients.set(client, kept);
    for (const subscription of subscriptions) {
      kept.set(subscription.topic, subscription);
      // Nothing is queued at QoS 0.
      if (subscription.qos > 0) this.#plant({ ...subscription, clientId: client });
      else this.#prune(client, subscription.topic);
    }
  }

  remove(client: string, filters: readonly string[]): void {
    const kept = this.#clients.get(client);
    for (const filter of filters) if (kept?.delete(filter) === true) this.#prune(client, filter);
    if (kept?.size === 0) this.#clients.delete(client);
  }

  removeAll(client: string): void {
    this.remove(client, [...(this.#clients.get(client)?.keys() ?? [])]);
  }

  of(client: string): Subscription[] {
    return [...(this.#clients.get(client)?.values() ?? [])];
  }

  /** MQTT-4.7.2-1: a filter that begins with a wildcard sees no topic that begins with `$`. */
  matching(topic: string): MatchingSubscription[] {
    const found: MatchingSubscription[] = [];
    const levels = topic.split('/');
    const wildcardsFrom = topic.startsWith('$') ? 1 : 0;
    const visit = (level: Level, at: number): void => {
      if (at >= wildcardsFrom) found.push(...(level.next.get('#')?.here.values() ?? []));
      const name = levels[at];
      if (name === undefined) {
        found.push(...level.here.values());
        return;
      }
      for (const wanted of at >= wildcardsFrom ? [name, '+'] : [name]) {
        const next = level.next.get(wanted);
        if (next !== undefined) visit(next, at + 1);
      }
    };
    visit(this.#root, 0);
    return found;
  }

  *clientsOf(filter: string): Generator<string> {
    for (const [client, kept] of this.#clients) if (kept.has(filter)) yield client;
  }

  #plant(subscription: MatchingSubscription): void {
    let level = this.#root;
    for (const name of subscription.topic.split('/')) {
      const next = level.next.get(name) ?? createLevel();
      level.next.set(name, next);
      level = next;
    }
    if (!level.here.has(subscription.clientId)) this.#count += 1;
    level.here.set(subscription.clientId, subscription);
  }

  #prune(client: string, filter: string): void {
    const path: (readonly [level: Level, name: string])[] = [];
    let level: Level | undefined = this.#root;
    for (const name of filter.split('/')) {
      path.push([level, name]);
      level = level.next.get(name);
      if (level === undefined) return;
    }
    if (level.here.delete(client)) this.#count -= 1;
    for (const [parent, name] of path.reverse()) {
      const child = parent.next.get(name);
      if (child === undefined || child.here.size > 0 || child.next.size > 0) return;
      parent.next.delete(name);
    }
  }
}
