// Who would hear a topic: live subscriptions, and those of sessions that are away. Asked before an answer is built that perhaps
// nobody reads, so it must never say "nobody" where there is somebody; the other way round costs only time.

/** Answers remembered until the subscriptions change: the same few topics are asked about again and again. */
const MOST_REMEMBERED = 10_000;

export class Audience {
  readonly #live = new Map<string, number>();
  readonly #kept = new Map<string, Set<string>>();
  readonly #remembered = new Map<string, boolean>();

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
  keep(clientId: string, filters: readonly string[]): void {
    const kept = this.#kept.get(clientId) ?? new Set();
    for (const filter of filters) kept.add(filter);
    this.#kept.set(clientId, kept);
    this.#remembered.clear();
  }

  drop(clientId: string, filters: readonly string[]): void {
    const kept = this.#kept.get(clientId);
    for (const filter of filters) kept?.delete(filter);
    this.#remembered.clear();
  }

  dropAll(clientId: string): void {
    this.#kept.delete(clientId);
    this.#remembered.clear();
  }

  hears(topic: string): boolean {
    const known = this.#remembered.get(topic);
    if (known !== undefined) return known;
    const heard = this.#anyMatches(topic);
    if (this.#remembered.size >= MOST_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(topic, heard);
    return heard;
  }

  #anyMatches(topic: string): boolean {
    for (const filter of this.#live.keys()) if (matchesFilter(filter, topic)) return true;
    for (const filters of this.#kept.values()) {
      for (const filter of filters) if (matchesFilter(filter, topic)) return true;
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
