import { cliErrors } from './errors.ts';

/** `1000`. Throws OPTION_INVALID, also for what lies outside the limits. */
export function parseCount(
  option: string,
  text: string,
  { least, most }: { readonly least: number; readonly most: number },
): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw cliErrors.OPTION_INVALID({ option, value: text, expected: `a whole number from ${least} to ${most}` });
}
