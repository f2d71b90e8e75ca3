import { bytes, type Bytes } from '../kit/units.ts';
import { cliErrors } from './errors.ts';

const BYTES: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** `500000B`, `200MB`, `512MiB`, `1.5GiB`. Throws OPTION_INVALID, also for what lies outside the limits. */
export function parseBytes(
  option: string,
  text: string,
  limits: { readonly least: Bytes; readonly most: Bytes },
): Bytes {
  const match = /^(\d{1,12}(?:\.\d{1,3})?)([KMG]i?B|B)$/.exec(text);
  const size = Math.floor(Number(match?.[1]) * (BYTES[match?.[2] ?? ''] ?? Number.NaN));
  if (!(size >= limits.least && size <= limits.most)) {
    const expected = `a size from ${sizeText(limits.least)} to ${sizeText(limits.most)}, such as 200MB, 512MiB or 1.5GiB`;
    throw cliErrors.OPTION_INVALID({ option, value: text, expected });
  }
  return bytes(size);
}

/** In the largest binary unit that it is a whole number of. */
export function sizeText(size: Bytes): string {
  const [unit, length] = Object.entries(BYTES).findLast(([name, each]) => name.endsWith('iB') && size % each === 0) ?? [
    'B',
    1,
  ];
  return `${size / length}${unit}`;
}
