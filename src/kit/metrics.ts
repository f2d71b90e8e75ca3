// Numbers for a scraper, in Prometheus' text format 0.0.4. Parts count for themselves, in plain numbers; they are read when somebody
// asks, and at no other time. Written by hand because of what the library would cost the edge in memory (ADR 0024).

export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
  /** Of a summary: which of its two numbers this is. */
  readonly part?: 'sum' | 'count';
}

export interface Metric {
  /** `skerry_<area>_<thing>_<unit>`, a counter with `_total` at its end. */
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'summary';
  /** One sentence. */
  readonly help: string;
  readonly read: () => readonly Sample[];
}

/** One number. */
export const gauge = (name: string, help: string, value: () => number): Metric => ({
  ...{ name, type: 'gauge', help },
  read: () => [{ value: value() }],
});

export const counter = (name: string, help: string, read: () => readonly Sample[]): Metric => ({
  ...{ name, type: 'counter', help },
  read,
});

/** One sample for each kind. */
export const samplesOf = (label: string, counts: Readonly<Record<string, number>>): readonly Sample[] =>
  Object.entries(counts).map(([kind, value]) => ({ labels: { [label]: kind }, value }));

export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** The answer to a scrape. */
export function exposition(metrics: readonly Metric[]): string {
  return metrics.map(textOf).join('');
}

function textOf({ name, type, help, read }: Metric): string {
  const samples = read().map(({ labels = {}, value, part }) => {
    const series = part === undefined ? name : `${name}_${part}`;
    return `${series}${labelsOf(labels)} ${numberOf(value)}\n`;
  });
  return `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n${samples.join('')}`;
}

function labelsOf(labels: Readonly<Record<string, string>>): string {
  const written = Object.entries(labels).map(([label, value]) => `${label}="${escaped(value).replaceAll('"', '\\"')}"`);
  return written.length === 0 ? '' : `{${written.join(',')}}`;
}

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

function numberOf(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return Number.isFinite(value) ? String(value) : `${value < 0 ? '-' : '+'}Inf`;
}

/** Counts by kind. */
export class Tally<K extends string> {
  readonly #counts: Record<K, number>;

  /** Every kind is shown from the start, with 0. */
  constructor(kinds: readonly K[]) {
    this.#counts = Object.fromEntries(kinds.map((kind) => [kind, 0])) as Record<K, number>;
  }

  add(kind: K): void {
    this.#counts[kind] += 1;
  }

  get counts(): Readonly<Record<K, number>> {
    return this.#counts;
  }
}
