const RFC_3339 = /^(\d{4}-\d{2}-\d{2})[Tt ]([01]\d|2[0-3]):\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;

/** Milliseconds since the epoch; `undefined` for what is no time of RFC 3339. */
export function parseMoment(text: string): number | undefined {
  const day = RFC_3339.exec(text)?.[1];
  if (day === undefined || !isDay(day)) return undefined;
  const moment = Date.parse(text.replace(' ', 'T').toUpperCase());
  return Number.isNaN(moment) ? undefined : moment;
}

/** For JavaScript the 30th of February is the 2nd of March. */
function isDay(text: string): boolean {
  const day = Date.parse(text);
  return !Number.isNaN(day) && new Date(day).toISOString().startsWith(text);
}
