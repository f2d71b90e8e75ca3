import { parseMoment } from '../wire/moments.ts';
import { cliErrors } from './errors.ts';

const MILLISECONDS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `2026-05-01T12:00:00Z`, or so long ago: `90s`, `10m`, `-10m`, `2h`, `3d`. Throws OPTION_INVALID. */
export function momentOf(option: string, text: string, now: number): number {
  const match = /^-?(\d{1,9})(s|m|h|d)$/.exec(text);
  const moment =
    match === null ? parseMoment(text) : now - Number(match[1]) * (MILLISECONDS[match[2] ?? ''] ?? Number.NaN);
  if (moment !== undefined && moment >= 0) return moment;
  const expected = 'a time such as 2026-05-01T12:00:00Z, or how long ago, such as 90s, 10m, 2h or 3d';
  throw cliErrors.OPTION_INVALID({ option, value: text, expected });
}
