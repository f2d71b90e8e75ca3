// Topic names and filters, MQTT 3.1.1, 4.7. Pure.

/** MQTT-4.7.1-2 and -3: a wildcard is a level of its own, and `#` the last one. MQTT-4.7.3-1: not empty. */
export function isFilter(filter: string): boolean {
  if (filter === '') return false;
  if (!/[+#]/.test(filter)) return true;
  const levels = filter.split('/');
  return levels.every((level, at) => {
    return !/[+#]/.test(level) || level === '+' || (level === '#' && at === levels.length - 1);
  });
}

/** MQTT-3.3.2-2: without wildcards. */
export const isTopic = (topic: string): boolean => topic !== '' && !/[+#]/.test(topic);
