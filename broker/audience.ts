// Who would hear a topic: live subscriptions, and those of sessions that are away. Asked before an answer is built that perhaps
// nobody reads, so it must never say "nobody" where there is somebody; the other way round costs only time.
import { FilterTree } from './filter-tree.ts';
import { KeptSubscriptions, type Subscription } from './sessions/kept-subscriptions.ts';

/** Answers remembered until the filters change: the same few topics are asked about again and again. */
const MOST_REMEMBERED = 10_000;

interface Answer {
  readonly isHeard: boolean;
  readonly isKept: boolean;
}

interface Grants {
  readonly topic: string;
  readonly byClient: ReadonlyMap<string, number>;
}

export class Audience {
  /** How many listen, by filter. */
  readonly #live = new FilterTree<number>();
  readonly #kept = new KeptSubscriptions();
  readonly #remembered = new Map<string, Answer>();
  /** A publication is handed to one session after the other. */
  #granted: Grants | undefined;

  listen(filter: string): void {
    const listening = this.#live.get(filter) ?? 0;
    this.#live.set(filter, listening + 1);
    if (listening === 0) this.#remembered.clear();
  }

  leave(filter: string): void {
    const left = (this.#live.get(filter) ?? 0) - 1;
    if (left > 0) this.#live.set(filter, left);
    else if (left === 0) {
      this.#live.delete(filter);
      this.#remembered.clear();
    }
  }

  /** What sessions have subscribed to, which holds while their clients are away. */
  get kept(): Pick<KeptSubscriptions, 'of' | 'matching' | 'counts' | 'clientsOf'> {
    return this.#kept;
  }

  keep(clientId: string, subscriptions: readonly Subscription[]): void {
    this.#forgetIf(this.#kept.add(clientId, subscriptions));
  }

  drop(clientId: string, filters: readonly string[]): void {
    this.#forgetIf(this.#kept.remove(clientId, filters));
  }

  dropAll(clientId: string): void {
    this.#forgetIf(this.#kept.removeAll(clientId));
  }

  /** Whether a publication would reach anybody. */
  hears(topic: string): boolean {
    return this.#answer(topic).isHeard;
  }

  /** Whether a session would keep a publication until it is acknowledged. */
  keeps(topic: string): boolean {
    return this.#kept.counts.subsCount > 0 && this.#answer(topic).isKept;
  }

  /** Whether the client's session has a subscription. */
  isKeptFor(clientId: string): boolean {
    return this.#kept.has(clientId);
  }

  /** At which QoS a session subscribed to the topic: the highest of those that match. */
  grants(clientId: string, topic: string): number {
    if (this.#granted?.topic !== topic) this.#granted = { topic, byClient: highest(this.#kept.matching(topic)) };
    return this.#granted.byClient.get(clientId) ?? 0;
  }

  #forgetIf(isChanged: boolean): void {
    if (!isChanged) return;
    this.#remembered.clear();
    this.#granted = undefined;
  }

  #answer(topic: string): Answer {
    const known = this.#remembered.get(topic);
    if (known !== undefined) return known;
    const isKept = this.#kept.keeps(topic);
    const answer = { isKept, isHeard: isKept || this.#live.some(topic) };
    if (this.#remembered.size >= MOST_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(topic, answer);
    return answer;
  }
}

function highest(subscriptions: readonly { readonly clientId: string; readonly qos: number }[]): Map<string, number> {
  const granted = new Map<string, number>();
  for (const { clientId, qos } of subscriptions) granted.set(clientId, Math.max(qos, granted.get(clientId) ?? 0));
  return granted;
}
