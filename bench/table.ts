/** Nearest-rank percentile. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export const median = (samples: readonly number[]): number => percentile(samples, 0.5);

export interface Row {
  readonly what: string;
  readonly figure: string;
  /** What it is compared with in the same run, and how. */
  readonly beside: string;
}

export function printRows(title: string, rows: readonly Row[]): void {
  console.log(`\n### ${title}\n\n| what | figure | beside it |\n|---|---|---|`);
  for (const { what, figure, beside } of rows) console.log(`| ${what} | ${figure} | ${beside} |`);
}

export const perSecond = (count: number, milliseconds: number): number => Math.round((count * 1000) / milliseconds);
export const ratio = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(0)} %`;
export const p50p99 = (samples: readonly number[]): string =>
  `p50 ${percentile(samples, 0.5).toFixed(2)} ms, p99 ${percentile(samples, 0.99).toFixed(2)} ms (${samples.length})`;
