import type { Keep } from './device.ts';

/** As people write it on a property of a DeviceModel or Device; `deploy/crds` has the same expression. */
export const KEEP_PATTERN = /^(all|last|changes|sampled\([1-9][0-9]{0,8}(ms|s|m|h)\))$/;

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `undefined` for words that nobody knows. */
export function parseKeep(text: string): Keep | undefined {
  if (!KEEP_PATTERN.test(text)) return undefined;
  if (text === 'all' || text === 'last' || text === 'changes') return text;
  const sampledEvery = parseInterval(text.slice('sampled('.length, -1));
  return sampledEvery === undefined ? undefined : { sampledEvery };
}

/** A length of time as people write it, `30s`; `deploy/crds` has the same expression. */
export const INTERVAL_PATTERN = /^[1-9][0-9]{0,8}(ms|s|m|h)$/;

/** In milliseconds; `undefined` for anything else. */
export function parseInterval(text: string): number | undefined {
  if (!INTERVAL_PATTERN.test(text)) return undefined;
  const [, count = '', unit = ''] = /^(\d+)([a-z]+)$/.exec(text) ?? [];
  return Number(count) * (MILLISECONDS[unit] ?? 1);
}
