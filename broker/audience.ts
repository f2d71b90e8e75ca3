// Who would hear a topic: live subscriptions, and those of sessions that are away. Asked before an answer is built that perhaps
// nobody reads, so it must never say "nobody" where there is somebody; the other way round costs only time.

/** Answers remembered until the subscriptions change: the same few topics are asked about again and again. */
const MOST_REMEMBERED = 10_000;

interface Answer {
  readonly isHeard: boolean;
  readonly isKept: boolean;
}

export class Audience {
  readonly #live = new Map<string, number>();
  /** By client, then by filter: at which QoS. */
  readonly #kept = new Map<string, Map<string, number>>();
  readonly #remembered = new Map<string, Answer>();

  listen(filter: string): void {
    this.#live.set(filter, (this.#live.get(filter) ?? 0) + 1);
    this.#remembered.clear();
  }

  leave(filter: string): void {
    const left = (this.#live.get(filter) ?? 0) - 1;
    if (left > 0) this.#live.set(filter, left);
    else this.#live.delete(filter);
    this.#remembered.clear();
  }

  /** A session's subscriptions, which hold while its client is away. */
  keep(clientId: string, subscriptions: readonly { readonly topic: string; readonly qos: number }[]): void {
    const kept = this.#kept.get(clientId) ?? new Map<string, number>();
    for (const { topic, qos } of subscriptions) kept.set(topic, qos);
    this.#kept.set(clientId, kept);
    this.#remembered.clear();
  }

  drop(clientId: string, filters: readonly string[]): void {
    const kept = this.#kept.get(clientId);
    for (const filter of filters) kept?.delete(filter);
    if (kept?.size === 0) this.#kept.delete(clientId);
    this.#remembered.clear();
  }

  dropAll(clientId: string): void {
    this.#kept.delete(clientId);
    this.#remembered.clear();
  }

  /** Whether a publication would reach anybody. */
  hears(topic: string): boolean {
    return this.#answer(topic).isHeard;
  }

  /** Whether a session would keep a publication until it is acknowledged. */
  keeps(topic: string): boolean {
    return this.#kept.size > 0 && this.#answer(topic).isKept;
  }

  /** Whether the client's session has a subscription. */
  isKeptFor(clientId: string): boolean {
    return this.#kept.has(clientId);
  }

  /** At which QoS a session subscribed to the topic: the highest of those that match. */
  grants(clientId: string, topic: string): number {
    let granted = 0;
    for (const [filter, qos] of this.#kept.get(clientId) ?? [])
      if (qos > granted && matchesFilter(filter, topic)) granted = qos;
    return granted;
  }

  #answer(topic: string): Answer {
    const known = this.#remembered.get(topic);
    if (known !== undefined) return known;
    const isKept = this.#isKept(topic, 1);
    const answer = { isKept, isHeard: isKept || this.#isLive(topic) || this.#isKept(topic, 0) };
    if (this.#remembered.size >= MOST_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(topic, answer);
    return answer;
  }

  #isLive(topic: string): boolean {
    for (const filter of this.#live.keys()) if (matchesFilter(filter, topic)) return true;
    return false;
  }

  #isKept(topic: string, leastQos: number): boolean {
    for (const filters of this.#kept.values()) {
      for (const [filter, qos] of filters) if (qos >= leastQos && matchesFilter(filter, topic)) return true;
    }
    return false;
  }
}

/** MQTT 3.1.1, 4.7: `+` is one level, `#` any number of them at the end; a filter that begins with one sees no `$` topics. */
export function matchesFilter(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && /^[+#]/.test(filter)) return false;
  const wanted = filter.split('/');
  const levels = topic.split('/');
  for (const [place, level] of wanted.entries()) {
    if (level === '#') return true;
    if (place >= levels.length || (level !== '+' && level !== levels[place])) return false;
  }
  return wanted.length === levels.length;
}
