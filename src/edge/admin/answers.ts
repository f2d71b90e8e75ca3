import type { HttpVerdict } from '../../kit/http-access.ts';
import type { HttpRefusal } from '../../kit/http-refusals.ts';

export interface Answer {
  readonly status: number;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Metrics, sent instead. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Counted as this. */
  readonly refusal?: HttpRefusal;
}

/** A program that asked knows from `known` what it can ask for. */
export const unknownProperty = (device: string, property: string, known: readonly string[]): Answer => ({
  status: 404,
  body: {
    reason: `the device ${device} has no property ${JSON.stringify(property.slice(0, 128))}; it has ${known.join(', ') || 'none'}`,
    property,
    known,
  },
});

export const unknownDevice = (namespace: string, name: string): Answer => ({
  status: 404,
  body: { reason: `the device ${namespace}/${name} is not known on this node; GET /twins lists those that are` },
});

/** To one who may not ask. */
export const REFUSED: Readonly<Record<Exclude<HttpVerdict, 'pass'>, Answer>> = {
  'needs-tls': {
    ...{ status: 426, refusal: 'needs-tls', headers: { upgrade: 'TLS/1.2, HTTP/1.1', connection: 'Upgrade' } },
    body: { reason: 'ask over https: plain HTTP is for programs on this node' },
  },
  'untrusted-host': {
    ...{ status: 421, refusal: 'untrusted-host' },
    body: {
      reason:
        'this Host is not an address of this node; ask it as localhost, by its IP address, or by the name in --http',
    },
  },
  unauthorized: {
    ...{ status: 401, refusal: 'unauthorized', headers: { 'www-authenticate': 'Bearer realm="skerry"' } },
    body: { reason: 'send the token of the file http-token in the data dir of the node: Authorization: Bearer TOKEN' },
  },
};
