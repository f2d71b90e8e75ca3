// Over HTTP, at the hub and at a node that serves other machines.
import assert from 'node:assert/strict';
import { ask, type AskedWith } from '../support/https.ts';
import { outsideAddress } from '../support/outside-address.ts';
import type { Attack, Counted } from './attack.ts';

type Where = Counted['at'];
const NAMES = { hub: 'skerry_hub_http_refusals_total', edge: 'skerry_edge_http_refusals_total' } as const;
const DOORS = ['hub', 'edge'] as const;

interface Asked extends AskedWith {
  readonly path: string;
  readonly scheme: 'http' | 'https';
  readonly isOutside?: boolean;
}

const asking = (
  at: Where,
  what: string,
  reason: string,
  { path, scheme, isOutside = false, ...rest }: Asked,
): Attack => ({
  ...{ door: `HTTP ${at}`, what },
  counted: { at, name: NAMES[at], ...(reason === '' ? {} : { series: `reason="${reason}"` }) },
  logged: /refused over HTTP/,
  attempt: async (site) => {
    const host = isOutside ? outsideAddress() : '127.0.0.1';
    const secure = scheme === 'https' ? { ca: site.caOf(at), ...rest } : rest;
    const base = `${scheme}://${host}:${site.portOf(at)}`;
    const answer = await ask(base, path, secure).catch((error: unknown) => {
      // Cut off, which is refused as well.
      assert.match(String(error), /ECONNRESET|hang up|EPIPE/);
      return { status: 400, text: '' };
    });
    assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status} ${answer.text}`);
    assert.doesNotMatch(answer.text, /root:|skerry_[a-z]+_[a-z]+ \d/);
  },
});

const TRAVERSALS = [
  '/../../../../etc/passwd',
  '/%2e%2e/%2e%2e/%2e%2e/etc/passwd',
  '/metrics/../../http-token',
  '//etc/passwd',
  '/..%5c..%5chttp-token',
];

const BEARER = { authorization: 'Bearer a-guess' };

export const ASKING: readonly Attack[] = [
  ...DOORS.flatMap((at) => [
    ...TRAVERSALS.map((path) => asking(at, `a path out of the tree: ${path}`, '', { path, scheme: 'http' })),
    asking(at, 'plain HTTP from another machine', 'needs-tls', { path: '/metrics', scheme: 'http', isOutside: true }),
    asking(at, 'a name of a page from elsewhere', 'untrusted-host', {
      ...{ path: '/metrics', scheme: 'http', headers: { host: 'rebound.example' } },
    }),
    asking(at, 'a method that is not for it', 'method', { path: '/metrics', scheme: 'http', method: 'DELETE' }),
    asking(at, 'no token, from another machine', 'unauthorized', {
      ...{ path: '/metrics', scheme: 'https', isOutside: true },
    }),
    asking(at, 'a wrong token, from another machine', 'unauthorized', {
      ...{ path: '/status', scheme: 'https', isOutside: true, headers: BEARER },
    }),
  ]),
  asking('hub', 'joining over plain HTTP', 'needs-tls', { path: '/v1/join', scheme: 'http', method: 'POST' }),
  asking('hub', 'a body that does not end', 'too-large', {
    ...{ path: '/v1/join', scheme: 'https', method: 'POST', body: 'x'.repeat(1_000_000) },
  }),
];
