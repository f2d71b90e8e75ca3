import type { ServerResponse } from 'node:http';
import { SECURE_HEADERS } from '../../kit/http-headers.ts';
import type { HttpRefusal } from '../../kit/http-refusals.ts';
import { METRICS_CONTENT_TYPE } from '../../kit/metrics.ts';

export interface Reply {
  readonly status: number;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Metrics, sent instead. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Counted as this. */
  readonly refusal?: HttpRefusal;
}

type Told = Extract<
  HttpRefusal,
  'needs-tls' | 'untrusted-host' | 'unauthorized' | 'malformed' | 'too-large' | 'unknown' | 'method'
>;

interface Refused {
  readonly status: number;
  readonly error: string;
  readonly message: (known: string) => string;
  readonly headers?: (known: string) => Readonly<Record<string, string>>;
}

const REFUSED: Readonly<Record<Told, Refused>> = {
  'needs-tls': {
    ...{ status: 426, error: 'NEEDS_TLS' },
    message: () => 'ask over https: plain HTTP is for this machine, and never for /v1/',
    headers: () => ({ upgrade: 'TLS/1.2, HTTP/1.1', connection: 'Upgrade' }),
  },
  'untrusted-host': {
    ...{ status: 421, error: 'UNTRUSTED_HOST' },
    message: () => 'ask by IP address, as localhost or by the host given with --http',
  },
  unauthorized: {
    ...{ status: 401, error: 'UNAUTHORIZED' },
    message: () => 'send the token of the file http-token in the data dir of the hub: Authorization: Bearer TOKEN',
    headers: () => ({ 'www-authenticate': 'Bearer realm="skerry"' }),
  },
  malformed: {
    ...{ status: 400, error: 'MALFORMED' },
    message: () => 'the path is not that of a URL, or the body is not JSON',
  },
  'too-large': { status: 413, error: 'TOO_LARGE', message: () => 'the body is larger than 64 KiB' },
  unknown: { status: 404, error: 'UNKNOWN_PATH', message: (known) => `nothing here; try ${known}` },
  method: {
    ...{ status: 405, error: 'METHOD_NOT_ALLOWED' },
    message: (known) => `only ${known}`,
    headers: (known) => ({ allow: known }),
  },
};

export function refusal(why: Told, known = ''): Reply {
  const { status, error, message, headers } = REFUSED[why];
  return { status, body: { error, message: message(known) }, headers: headers?.(known) ?? {}, refusal: why };
}

export function send(response: ServerResponse, { status, body, text, headers }: Reply): void {
  // What was not read of a refused body would be taken for the next request.
  const isWhole = response.req.complete || response.req.method === 'GET' || response.req.method === 'HEAD';
  const type = text === undefined ? 'application/json' : METRICS_CONTENT_TYPE;
  const closing = isWhole ? {} : { connection: 'close' };
  response.writeHead(status, { 'content-type': type, ...SECURE_HEADERS, ...closing, ...headers });
  response.end(text ?? `${JSON.stringify(body)}\n`);
}
