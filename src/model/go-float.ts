// Floating-point numbers as Go's strconv.ParseFloat reads them, which is what KubeEdge calls a float: decimal and hexadecimal, with
// exponent, `_` between digits, `inf` and `NaN` in any case. Pure.

const DIGITS = '\\d+(?:_\\d+)*';
const HEX = '[\\da-f]+(?:_[\\da-f]+)*';
const DECIMAL_FORM = new RegExp(`^[+-]?(?:${DIGITS}\\.?(?:${DIGITS})?|\\.${DIGITS})(?:e[+-]?${DIGITS})?$`, 'i');
const HEX_FORM = new RegExp(
  `^(?<sign>[+-]?)0x(?=_?[\\da-f]|\\.)_?(?<whole>(?:${HEX})?)\\.?(?<part>(?:${HEX})?)p(?<exponent>[+-]?${DIGITS})$`,
  'i',
);
const INFINITE_FORM = /^[+-]?inf(?:inity)?$/i;
const NOT_A_NUMBER = /^nan$/i;
/** A mantissa of more says nothing more. */
const MOST_HEX_DIGITS = 1000;

/** `undefined` for what is none, and for what is too large for 64 bits. */
export function parseGoFloat(text: string): number | undefined {
  if (DECIMAL_FORM.test(text)) return finite(Number(text.replaceAll('_', '')));
  if (NOT_A_NUMBER.test(text)) return Number.NaN;
  if (INFINITE_FORM.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return hexFloat(text.replaceAll('_', ''), HEX_FORM.exec(text)?.groups);
}

function hexFloat(text: string, groups: Readonly<Record<string, string>> | undefined): number | undefined {
  if (groups === undefined || text.length > MOST_HEX_DIGITS) return undefined;
  const plain = (name: string): string => (groups[name] ?? '').replaceAll('_', '');
  const [whole, part] = [plain('whole'), plain('part')];
  if (whole === '' && part === '') return undefined;
  const mantissa = Number(BigInt(`0x${whole}${part}`));
  const value = mantissa === 0 ? 0 : mantissa * 2 ** (Number(plain('exponent')) - 4 * part.length);
  return finite(plain('sign') === '-' ? -value : value);
}

const finite = (value: number): number | undefined => (Number.isFinite(value) ? value : undefined);
