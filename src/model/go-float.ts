// Floating-point numbers as Go's strconv.ParseFloat reads them, which is what KubeEdge calls a float: decimal and hexadecimal, with
// exponent, `_` between digits, `inf` and `NaN` in any case. Pure.

// Each form reads a text in one way only: a pattern that can split digits in several ways tries them all.
const DIGITS = '\\d+(?:_\\d+)*';
const HEX = '[\\da-f]+(?:_[\\da-f]+)*';
const DECIMAL_FORM = new RegExp(`^[+-]?(?:${DIGITS}(?:\\.(?:${DIGITS})?)?|\\.${DIGITS})(?:e[+-]?${DIGITS})?$`, 'i');
const HEX_FORM = new RegExp(
  `^(?<sign>[+-]?)0x(?=_?[\\da-f]|\\.)_?(?<whole>(?:${HEX})?)(?:\\.(?<part>(?:${HEX})?))?p(?<exponent>[+-]?${DIGITS})$`,
  'i',
);
const INFINITE_FORM = /^[+-]?inf(?:inity)?$/i;
const NOT_A_NUMBER = /^nan$/i;
/** No number of 64 bits needs as many: longer ones are not even read. */
const LONGEST = 400;

/** `undefined` for what is none, for what is too large for 64 bits, and for what is longer than any number needs to be. */
export function parseGoFloat(text: string): number | undefined {
  if (text.length > LONGEST) return undefined;
  if (DECIMAL_FORM.test(text)) return finite(Number(text.replaceAll('_', '')));
  if (NOT_A_NUMBER.test(text)) return Number.NaN;
  if (INFINITE_FORM.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return hexFloat(HEX_FORM.exec(text)?.groups);
}

function hexFloat(groups: Readonly<Record<string, string | undefined>> | undefined): number | undefined {
  if (groups === undefined) return undefined;
  const plain = (name: string): string => (groups[name] ?? '').replaceAll('_', '');
  const [whole, part] = [plain('whole'), plain('part')];
  if (whole === '' && part === '') return undefined;
  const mantissa = Number(BigInt(`0x${whole}${part}`));
  const value = mantissa === 0 ? 0 : mantissa * 2 ** (Number(plain('exponent')) - 4 * part.length);
  return finite(plain('sign') === '-' ? -value : value);
}

const finite = (value: number): number | undefined => (Number.isFinite(value) ? value : undefined);
