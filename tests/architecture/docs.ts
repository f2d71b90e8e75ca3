// Reads what the documentation says, so that tests can hold it against the code.
import { readFileSync } from 'node:fs';

export type Row = readonly string[];

/** The rows of all tables below a heading, up to the next heading of the same or a higher level; without their header rows. */
export function tableRows(file: string, heading?: string): readonly Row[] {
  const lines = heading === undefined ? linesOf(file) : section(linesOf(file), heading, file);
  return lines.flatMap((line, index) => {
    const isCell = line.startsWith('|') && !isRule(line) && !isRule(lines[index + 1] ?? '');
    return isCell ? [cells(line)] : [];
  });
}

/** What a cell says between backticks, each apart. */
export function codes(cell: string | undefined): readonly string[] {
  return [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, code]) => code ?? '');
}

/** The first column, code only. */
export function firstCodes(file: string, heading?: string): readonly string[] {
  return tableRows(file, heading).flatMap(([first]) => codes(first));
}

const linesOf = (file: string): readonly string[] => readFileSync(file, 'utf8').split('\n');
const isRule = (line: string): boolean => /^\|( *:?-+:? *\|)+ *$/.test(line);
const cells = (line: string): Row =>
  line
    .trim()
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim());

function section(lines: readonly string[], heading: string, file: string): readonly string[] {
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading);
  if (start === -1) throw new Error(`${file} has no heading "${heading}"`);
  const level = /^#+/.exec(lines[start] ?? '')?.[0].length ?? 1;
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => (/^#+(?= )/.exec(line)?.[0].length ?? 9) <= level);
  return end === -1 ? rest : rest.slice(0, end);
}
