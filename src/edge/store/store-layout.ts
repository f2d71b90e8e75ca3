// Names and key forms of everything in the edge's one LevelDB. A key is `<table>!<rest>`; `!` sorts before every character
// that names and numbers are made of, so a table's keys stand together and in order.

/** Format of everything below; a change of form raises it and brings a migration. */
export const STORE_FORMAT = 2;

export interface Named {
  readonly name: string;
}

/** Every value is JSON text, whoever encodes it: a repair tells by that what can be read. */
export interface Table<V> extends Named {
  readonly encode: (value: V) => string;
  readonly decode: (text: string) => V;
}

export function jsonTable<V>(name: string): Table<V> {
  return { name, encode: (value) => JSON.stringify(value), decode: (text) => JSON.parse(text) as V };
}

export const keyIn = (table: Named, key: string): string => `${table.name}!${key}`;

/** First and one-past-last key of a table. */
export function rangeOf(table: Named): { readonly gte: string; readonly lt: string } {
  return { gte: `${table.name}!`, lt: `${table.name}"` };
}

/** Numbers in keys: fixed width, so that text order is number order. */
export const orderedNumber = (value: number): string => value.toString().padStart(16, '0');
