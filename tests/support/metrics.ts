/** The value of one series in the answer to a scrape: the name, with its labels where it has any. */
export function valueOf(text: string, series: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

/** The sum over all series of a name whose line holds a text, as `reason="bytes"`. */
export function sumOf(text: string, name: string, holding = ''): number {
  const lines = text.split('\n').filter((one) => one.startsWith(`${name}{`) && one.includes(holding));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
