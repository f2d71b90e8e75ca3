import type { ServerResponse } from 'node:http';
import type { JsonObject } from '../json.ts';
import type { StatusError } from '../status.ts';

export interface Answer {
  readonly code: number;
  readonly body: JsonObject;
  readonly contentType?: string;
  readonly warnings?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

export const ok = (body: JsonObject): Answer => ({ code: 200, body });

export function send(response: ServerResponse, { code, body, contentType, warnings = [], headers = {} }: Answer): void {
  sendText(response, code, {
    'content-type': contentType ?? 'application/json',
    ...headers,
    ...(warnings.length === 0 ? {} : { warning: warnings.map(warningHeader) }),
  })(JSON.stringify(body));
}

export function sendText(response: ServerResponse, code: number, headers: Record<string, string | string[]>) {
  return (text: string): void => {
    response.writeHead(code, {
      ...headers,
      'cache-control': 'no-cache, private',
      'content-length': Buffer.byteLength(text),
    });
    response.end(text);
  };
}

export function sendStatus(response: ServerResponse, error: StatusError): void {
  const headers = error.code === 401 ? { 'www-authenticate': 'Bearer' } : {};
  send(response, { code: error.code, body: error.toStatus(), headers });
}

/** RFC 7234 quoting; header values are Latin-1, so everything else is replaced. */
const warningHeader = (text: string): string =>
  `299 - "${text.replace(/[\\"]/g, '\\$&').replace(/[^\x20-\x7e]/g, '?')}"`;
