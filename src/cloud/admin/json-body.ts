import type { IncomingMessage } from 'node:http';
import { parseJson } from '../../wire/json.ts';

export const LARGEST_BODY = 64 * 1024;

export type JsonBody =
  { readonly kind: 'read'; readonly body: unknown } | { readonly kind: 'too-large' } | { readonly kind: 'malformed' };

/** Reads no more than it may. */
export async function readJsonBody(request: IncomingMessage): Promise<JsonBody> {
  if (Number(request.headers['content-length'] ?? 0) > LARGEST_BODY) return { kind: 'too-large' };
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LARGEST_BODY) return { kind: 'too-large' };
    chunks.push(chunk);
  }
  if (length === 0) return { kind: 'read', body: undefined };
  const body = parseJson(Buffer.concat(chunks).toString('utf8'));
  return body === undefined ? { kind: 'malformed' } : { kind: 'read', body };
}
