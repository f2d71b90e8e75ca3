// What processes said: how often each warning and error, and every line that is none of the logger's (a stack trace, a warning of
// Node's own).
import { asObject, parseJson } from '../../src/wire/json.ts';

export interface LogSummary {
  readonly warnings: ReadonlyMap<string, number>;
  readonly errors: ReadonlyMap<string, number>;
  readonly strange: readonly string[];
}

export function summaryOf(log: string): LogSummary {
  const warnings = new Map<string, number>();
  const errors = new Map<string, number>();
  const strange: string[] = [];
  for (const line of log.split('\n').filter((text) => text !== '')) {
    const entry = asObject(parseJson(line));
    // A process that is killed may leave half a line.
    if (entry === undefined && !line.startsWith('{')) strange.push(line);
    const counts = entry?.['level'] === 'warn' ? warnings : entry?.['level'] === 'error' ? errors : undefined;
    if (counts === undefined) continue;
    const message = typeof entry?.['msg'] === 'string' ? entry['msg'] : line;
    counts.set(message, (counts.get(message) ?? 0) + 1);
  }
  return { warnings, errors, strange };
}

export const countsText = (counts: ReadonlyMap<string, number>): string =>
  [...counts].map(([message, count]) => `${count}× ${message}`).join('; ') || 'none';

export const total = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((sum, count) => sum + count, 0);
