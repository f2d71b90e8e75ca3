// The hub over HTTP: its health for people and scrapers, and what other parts of it answer. `/healthz`: the process works. `/readyz`:
// every part is well; the body says which part is not and why. `/status`, `/metrics`: what else there is to know.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Deadline } from '../../kit/deadline.ts';
import { codeOf, messageOf } from '../../kit/errors.ts';
import { mayAsk, mayEnter, type HttpVisitor } from '../../kit/http-access.ts';
import { HttpListener, type HttpLimits, type ServerCertificate } from '../../kit/http-listener.ts';
import { HttpRefusals, type HttpRefusal } from '../../kit/http-refusals.ts';
import { isLoopback } from '../../kit/loopback.ts';
import type { Logger } from '../../kit/logger.ts';
import type { Metric } from '../../kit/metrics.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { refusal, send, type Reply } from './answers.ts';
import { adminErrors } from './errors.ts';
import { healthRoutes, type Route } from './health-routes.ts';
import type { HttpRoute } from './http-route.ts';
import { readJsonBody } from './json-body.ts';

const BASE = 'http://hub';
/** What joining nodes are told and tell. */
const TLS_ONLY = '/v1/';

export interface AdminConfig {
  readonly host: string;
  readonly port: number;
  readonly limits?: Partial<HttpLimits>;
}

export interface AdminTools {
  readonly parts: () => readonly Service[];
  readonly status: () => object;
  readonly metrics: readonly Metric[];
  readonly logger: Logger;
  /** What other parts of the hub answer. */
  readonly routes?: readonly HttpRoute[];
  /** By which HTTPS is served; asked at the first connection that wants it, and anew every hour. */
  readonly certificate?: () => Promise<ServerCertificate>;
  /** What programs of other machines show, as a bearer token, for all that is not open. Absent: nothing else is open to them. */
  readonly token?: () => Promise<string>;
}

export class AdminServer implements Service {
  readonly name = 'admin';
  readonly #config: AdminConfig;
  readonly #tools: AdminTools;
  readonly #routes: readonly (HttpRoute | Route)[];
  readonly #listener: HttpListener;
  readonly #refusals: HttpRefusals;
  #token: string | undefined;

  constructor(config: AdminConfig, tools: AdminTools) {
    this.#config = config;
    this.#tools = tools;
    this.#refusals = new HttpRefusals(tools.logger);
    const metrics = [...tools.metrics, this.#refusals.metric('skerry_hub_http_refusals_total')];
    this.#routes = [...healthRoutes({ ...tools, metrics }), ...(tools.routes ?? [])];
    this.#listener = new HttpListener(config, {
      answer: (request, response) => void this.#answer(request, response),
      closed: (why, fields) => this.#refusals.add(why, fields),
      certificate: tools.certificate,
      limits: config.limits ?? {},
    });
  }

  /** Known once started. */
  get url(): string {
    const { host } = this.#config;
    const scheme = isLoopback(host) ? 'http' : 'https';
    return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${this.#listener.port}`;
  }

  /** Rejects with HUB_HTTP_PORT_IN_USE. */
  async start(_signal: AbortSignal): Promise<void> {
    this.#token = await this.#tools.token?.();
    try {
      await this.#listener.start();
    } catch (error) {
      const { host, port } = this.#config;
      throw codeOf(error) === 'EADDRINUSE' ? adminErrors.HUB_HTTP_PORT_IN_USE({ host, port }, error) : error;
    }
  }

  stop(deadline: Deadline): Promise<void> {
    return this.#listener.stop(deadline);
  }

  health(): Health {
    return HEALTHY;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const visitor = visitorOf(request);
      const reply = await this.#reply(request, visitor);
      if (reply.refusal !== undefined) this.#refused(reply.refusal, request, visitor);
      send(response, reply);
    } catch (error) {
      this.#tools.logger.error({ path: pathOf(request), reason: messageOf(error) }, 'a request failed');
      send(response, {
        status: 500,
        body: { error: 'INTERNAL', message: 'the hub could not answer; its log says why' },
      });
    }
  }

  #refused(why: HttpRefusal, request: IncomingMessage, { remoteAddress }: HttpVisitor): void {
    this.#refusals.add(why, { remoteAddress, method: request.method, path: pathOf(request)?.slice(0, 128) });
  }

  #reply(request: IncomingMessage, visitor: HttpVisitor): Promise<Reply> | Reply {
    const entry = mayEnter(visitor, this.#config.host);
    if (entry !== 'pass') return refusal(entry);
    const path = pathOf(request);
    if (path === undefined) return refusal('malformed');
    if (path.startsWith(TLS_ONLY) && !visitor.isTls) return refusal('needs-tls');
    return this.#replyAt(path, request, visitor);
  }

  #replyAt(path: string, request: IncomingMessage, visitor: HttpVisitor): Promise<Reply> | Reply {
    const found = this.#routes.filter((route) => route.path === path);
    const verdict = mayAsk(found[0]?.access ?? 'admin', visitor, this.#token);
    if (verdict !== 'pass') return refusal(verdict);
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const route = found.find((each) => each.method === method);
    if (route !== undefined) return this.#handle(route, request, visitor);
    return found.length === 0 ? refusal('unknown', this.#paths()) : refusal('method', found.map(allowedBy).join(', '));
  }

  async #handle(route: HttpRoute | Route, request: IncomingMessage, visitor: HttpVisitor): Promise<Reply> {
    if ('reply' in route) return route.reply();
    const read = await readJsonBody(request);
    if (read.kind !== 'read') return refusal(read.kind);
    const { isTls, remoteAddress } = visitor;
    const answer = await route.handle({ body: read.body, remoteAddress, isTls, localHost: hostOf(visitor) });
    if (answer.text !== undefined) return { ...answer, headers: PLAIN_TEXT };
    return answer.status >= 400 && answer.status < 500 ? { ...answer, refusal: 'refused' } : answer;
  }

  #paths(): string {
    return this.#routes.map(({ path }) => path).join(', ');
  }
}

const PLAIN_TEXT = { 'content-type': 'text/plain; charset=utf-8' };

const allowedBy = ({ method }: Pick<HttpRoute, 'method'>): string => (method === 'GET' ? 'GET, HEAD' : method);

const visitorOf = ({ socket, headers: { host, authorization } }: IncomingMessage): HttpVisitor => ({
  ...{ isTls: socket instanceof TLSSocket, remoteAddress: socket.remoteAddress ?? '', host, authorization },
});

/** `undefined`: not that of a URL. */
function pathOf({ url = '/' }: IncomingMessage): string | undefined {
  return URL.canParse(url, BASE) ? new URL(url, BASE).pathname : undefined;
}

function hostOf({ host }: HttpVisitor): string {
  const url = `http://${host ?? ''}`;
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : '';
}
