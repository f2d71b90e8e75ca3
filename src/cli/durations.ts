import { ms, seconds, type Duration } from '../kit/units.ts';
import { cliErrors } from './errors.ts';
import { requiredSetting, type Settings } from './options.ts';

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `500ms`, `2s`, `10m`, `1.5h`, `7d`. Throws OPTION_INVALID, also for what lies outside the limits. `or`: another word that is allowed. */
export function parseDuration(
  option: string,
  text: string,
  limits: { readonly least: Duration; readonly most: Duration; readonly or?: string },
): Duration {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text);
  const duration = Number(match?.[1]) * (MILLISECONDS[match?.[2] ?? ''] ?? Number.NaN);
  if (!(duration >= limits.least && duration <= limits.most)) {
    const expected = `${limits.or === undefined ? '' : `"${limits.or}" or `}a time from ${durationText(limits.least)} to ${durationText(limits.most)}, such as 500ms, 2s or 10m`;
    throw cliErrors.OPTION_INVALID({ option, value: text, expected });
  }
  return ms(duration);
}

/** In the largest unit that it is a whole number of. */
export function durationText(duration: Duration): string {
  const [unit, length] = Object.entries(MILLISECONDS).findLast(([, each]) => duration % each === 0) ?? ['ms', 1];
  return `${duration / length}${unit}`;
}

/** As NATS takes it: no shorter than its own clock ticks, no longer than the stream keeps messages. */
export function duplicateWindowOf(settings: Settings): Duration {
  const text = requiredSetting(settings, 'duplicate-window', 'a time');
  return parseDuration('--duplicate-window', text, { least: ms(100), most: seconds(7 * 24 * 3600) });
}
