// MQTT topic filters (MQTT 3.1.1, section 4.7). Pure.

const LONGEST = 65_535;

/** What is wrong with a filter, as the end of a sentence; `undefined` for a good one. */
export function filterProblem(filter: string): string | undefined {
  if (filter === '') return 'is empty';
  if (filter.includes('\0') || Buffer.byteLength(filter) > LONGEST) return 'is no MQTT text';
  const levels = filter.split('/');
  if (levels.slice(0, -1).includes('#')) return 'has "#" before its last level';
  const mixed = levels.find((level) => level.length > 1 && /[+#]/.test(level));
  return mixed === undefined ? undefined : `has a wildcard inside the level "${mixed}"`;
}

/** Whether a topic matches any of the filters. Wildcards at their beginning match no topic that begins with `$`. */
export function matcherOf(filters: readonly string[]): (topic: string) => boolean {
  const wanted = filters.map((filter) => filter.split('/'));
  return (topic) => {
    const levels = topic.split('/');
    return wanted.some((filter) => matches(filter, levels));
  };
}

function matches(filter: readonly string[], levels: readonly string[]): boolean {
  if (isWildcard(filter[0]) && levels[0]?.startsWith('$') === true) return false;
  for (const [place, wanted] of filter.entries()) {
    // `#` stands for its parent level as well.
    if (wanted === '#') return true;
    const level = levels[place];
    if (level === undefined || (wanted !== '+' && wanted !== level)) return false;
  }
  return filter.length === levels.length;
}

const isWildcard = (level: string | undefined): boolean => level === '+' || level === '#';
