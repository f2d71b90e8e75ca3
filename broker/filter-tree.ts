// Topic filters as a tree of their levels: which of them match a topic is found without a look at the others. MQTT 3.1.1, 4.7: `+` is
// one level, also one without a name, `#` any number of them at the end; a filter that begins with one sees no `$` topics.

interface Level<T> {
  readonly next: Map<string, Level<T>>;
  /** Of the filter that ends here. */
  value: T | undefined;
}

const createLevel = <T>(): Level<T> => ({ next: new Map(), value: undefined });

export class FilterTree<T> {
  readonly #root = createLevel<T>();

  get(filter: string): T | undefined {
    return this.#path(filter)?.at(-1)?.value;
  }

  set(filter: string, value: T): void {
    let level = this.#root;
    for (const name of filter.split('/')) {
      const next = level.next.get(name) ?? createLevel<T>();
      level.next.set(name, next);
      level = next;
    }
    level.value = value;
  }

  delete(filter: string): void {
    const path = this.#path(filter)?.reverse();
    const [end] = path ?? [];
    if (path === undefined || end === undefined) return;
    end.value = undefined;
    for (const [at, name] of filter.split('/').reverse().entries()) {
      const level = path[at];
      if (level === undefined || level.value !== undefined || level.next.size > 0) return;
      path[at + 1]?.next.delete(name);
    }
  }

  matching(topic: string): T[] {
    const found: T[] = [];
    this.some(topic, (value) => {
      found.push(value);
      return false;
    });
    return found;
  }

  /** Whether a filter matches; given a test, one whose value passes it. */
  some(topic: string, test: (value: T) => boolean = () => true): boolean {
    const levels = topic.split('/');
    const wildcardsFrom = topic.startsWith('$') ? 1 : 0;
    const passes = (level: Level<T> | undefined): boolean => level?.value !== undefined && test(level.value);
    const visit = (level: Level<T> | undefined, at: number): boolean => {
      if (level === undefined) return false;
      const hasWildcards = at >= wildcardsFrom;
      if (hasWildcards && passes(level.next.get('#'))) return true;
      const name = levels[at];
      if (name === undefined) return passes(level);
      return visit(level.next.get(name), at + 1) || (hasWildcards && visit(level.next.get('+'), at + 1));
    };
    return visit(this.#root, 0);
  }

  /** From the root to where the filter ends. */
  #path(filter: string): Level<T>[] | undefined {
    const path = [this.#root];
    let level: Level<T> | undefined = this.#root;
    for (const name of filter.split('/')) {
      level = level.next.get(name);
      if (level === undefined) return undefined;
      path.push(level);
    }
    return path;
  }
}

/** The same for one filter, level by level in place: a client may have a thousand long ones. */
export function matchesFilter(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && '+#'.includes(filter.charAt(0))) return false;
  let at = 0;
  for (let place = 0; place < filter.length; place += 1) {
    const wanted = filter[place];
    if (wanted === '#') return true;
    if (wanted === '+') {
      const end = topic.indexOf('/', at);
      at = end < 0 ? topic.length : end;
    } else if (topic[at] === wanted) at += 1;
    else return at === topic.length && place === filter.length - 2 && filter.endsWith('/#');
  }
  return at === topic.length;
}
