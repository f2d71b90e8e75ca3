// What somebody may do: topic filters, each with what it is granted for. There are grants only, so that what is not granted is
// refused, and no order of lines changes what they mean. Pure.
import { matchesFilter } from '../filter-tree.ts';

export interface Grant {
  readonly filter: string;
  readonly publish: boolean;
  readonly subscribe: boolean;
}

/** Of one client. */
export class Rights {
  readonly #publish: readonly string[];
  readonly #subscribe: readonly string[];

  constructor(grants: Iterable<Grant>) {
    const all = [...grants];
    this.#publish = all.filter(({ publish }) => publish).map(({ filter }) => filter);
    this.#subscribe = all.filter(({ subscribe }) => subscribe).map(({ filter }) => filter);
  }

  mayPublish(topic: string): boolean {
    return this.#publish.some((granted) => matchesFilter(granted, topic));
  }

  /** One granted filter must cover all that this one matches, so that a wildcard reaches nothing that was not granted. */
  maySubscribe(filter: string): boolean {
    return this.#subscribe.some((granted) => covers(granted, filter));
  }

  mayHear(topic: string): boolean {
    return this.#subscribe.some((granted) => matchesFilter(granted, topic));
  }
}

/** Nobody's. */
export const NO_RIGHTS = new Rights([]);

/** Whether every topic that `filter` matches is matched by `granted` (MQTT 3.1.1, 4.7). Never says so where one is not. */
export function covers(granted: string, filter: string): boolean {
  if (filter.startsWith('$') && isWildcard(granted.charAt(0))) return false;
  const wanted = filter.split('/');
  const levels = granted.split('/');
  for (const [at, level] of levels.entries()) {
    if (level === '#') return true;
    const asked = wanted[at];
    if (asked === undefined || asked === '#') return false;
    if (level !== '+' && level !== asked) return false;
  }
  return wanted.length === levels.length;
}

/** Wildcards stand alone on their level, and `#` last (MQTT-4.7.1-2, MQTT-4.7.1-3). */
export function isFilter(text: string): boolean {
  const levels = text.split('/');
  return (
    text !== '' &&
    !text.includes('\0') &&
    levels.every((level, at) => !/[+#]/.test(level) || level === '+' || (level === '#' && at === levels.length - 1))
  );
}

const isWildcard = (text: string): boolean => text === '+' || text === '#';
