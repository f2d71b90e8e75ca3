// Headers of a message that is published, as text.
import type { MsgHdrs } from 'nats';

export type Headers = Readonly<Record<string, string>>;

export function headersOf(plain: Headers): MsgHdrs {
  return new PlainHeaders(plain) as unknown as MsgHdrs;
}

/**
 * All that the library asks of headers when it publishes. Its own class rewrites and checks every name and value on its own, which
 * takes as long as the rest of a publish.
 */
class PlainHeaders {
  readonly #text: string;

  constructor(plain: Headers) {
    let text = 'NATS/1.0\r\n';
    for (const name in plain) text += `${name}: ${checked(plain[name] ?? '')}\r\n`;
    this.#text = `${text}\r\n`;
  }

  encode(): Uint8Array {
    return Buffer.from(this.#text);
  }
}

/** A line break would end the header, and begin another of the value's choice. */
function checked(value: string): string {
  if (value.includes('\n') || value.includes('\r')) throw new TypeError('a NATS header holds a line break');
  return value;
}
