/** Rows as lines of aligned columns; the first row is the head. */
export function tableLines(texts: readonly (readonly string[])[]): readonly string[] {
  const rows = texts.map((row) => row.map(visible));
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** Control characters as escapes: what a device says must end no line, and tell a terminal nothing. */
export const visible = (text: string): string => text.replaceAll(/\p{Cc}/gu, escaped);

const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

const escaped = (control: string): string =>
  ESCAPES[control] ?? `\\u${(control.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
