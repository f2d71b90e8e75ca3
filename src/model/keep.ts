import type { Keep } from './device.ts';

/** As people write it on a property of a DeviceModel or Device; `deploy/crds` has the same expression. */
export const KEEP_PATTERN = /^(all|last|changes|sampled\([1-9][0-9]{0,8}(ms|s|m|h)\))$/;

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `undefined` for words that nobody knows. */
export function parseKeep(text: string): Keep | undefined {
  if (!KEEP_PATTERN.test(text)) return undefined;
  if (text === 'all' || text === 'last' || text === 'changes') return text;
  const [, count = '', unit = ''] = /^sampled\((\d+)([a-z]+)\)$/.exec(text) ?? [];
  return { sampledEvery: Number(count) * (MILLISECONDS[unit] ?? 1) };
}
