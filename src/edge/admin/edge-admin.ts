// Health, metrics and twins over HTTP, for people and scripts on this node; for others over HTTPS, with a token.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Deadline } from '../../kit/deadline.ts';
import { codeOf, messageOf } from '../../kit/errors.ts';
import { mayAsk, mayEnter, type HttpVisitor } from '../../kit/http-access.ts';
import { SECURE_HEADERS } from '../../kit/http-headers.ts';
import { HttpListener } from '../../kit/http-listener.ts';
import { HttpRefusals } from '../../kit/http-refusals.ts';
import { isLoopback } from '../../kit/loopback.ts';
import type { Logger } from '../../kit/logger.ts';
import { exposition, METRICS_CONTENT_TYPE, type Metric } from '../../kit/metrics.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import type { NodeProblem } from '../../wire/node-reports.ts';
import { edgeErrors, type Address, type HttpSecurity } from '../edge-config.ts';
import { REFUSED, type Answer } from './answers.ts';
import { historyRoutes } from './history-routes.ts';
import { answerRequest, type Routes } from './routes.ts';
import { twinRoutes, type TwinRequests } from './twin-routes.ts';

export interface EdgeAdminTools {
  /** Of every part, by name. */
  readonly healths: () => Readonly<Record<string, Health>>;
  readonly status: () => EdgeStatus;
  readonly metrics: readonly Metric[];
  readonly twins: TwinRequests;
  readonly logger: Logger;
}

/** The node at a glance. */
export interface EdgeStatus {
  readonly node: string;
  readonly isLinked: boolean;
  /** Facts that the stream has not acknowledged. */
  readonly backlog: number;
  /** MQTT clients that are connected. */
  readonly clients: number;
  /** Generation of the desired state that this node has reached. */
  readonly indexGeneration: number;
  /** Why nothing, or not all, is published, where a person must act. */
  readonly problem?: NodeProblem;
}

/** Every address of this machine, loopback too. */
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

export class EdgeAdmin implements Service {
  readonly name = 'admin';
  readonly #address: Address;
  readonly #tools: EdgeAdminTools;
  readonly #token: string | undefined;
  readonly #routes: Routes;
  readonly #refusals: HttpRefusals;
  readonly #listener: HttpListener;

  constructor(config: { readonly http: Address; readonly httpSecurity?: HttpSecurity }, tools: EdgeAdminTools) {
    this.#address = config.http;
    this.#tools = tools;
    this.#token = config.httpSecurity?.token;
    this.#refusals = new HttpRefusals(tools.logger);
    this.#listener = new HttpListener(config.http, {
      answer: (request, response) => void this.#respond(request, response),
      closed: (why, fields) => this.#refusals.add(why, fields),
      certificate: config.httpSecurity?.certificate,
    });
    const metrics = [...tools.metrics, this.#refusals.metric('skerry_edge_http_refusals_total')];
    this.#routes = {
      'GET /healthz': () => ({ status: 200, body: { state: 'ok' } }),
      'GET /readyz': () => this.#readiness(),
      'GET /status': () => ({ status: 200, body: tools.status() }),
      'GET /metrics': () => ({ status: 200, text: exposition(metrics) }),
      ...twinRoutes(tools.twins),
      ...historyRoutes(tools.twins.past),
    };
  }

  /** Method and path of everything that is answered. */
  get routes(): readonly string[] {
    return Object.keys(this.#routes);
  }

  /** Where programs of this machine reach it; after start. */
  get url(): string {
    const host = WILDCARDS.has(this.#address.host) ? '127.0.0.1' : this.#address.host;
    const scheme = isLoopback(host) ? 'http' : 'https';
    return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${this.#listener.port}`;
  }

  async start(_signal: AbortSignal): Promise<void> {
    try {
      await this.#listener.start();
    } catch (error) {
      throw codeOf(error) === 'EADDRINUSE' ? edgeErrors.EDGE_HTTP_PORT_IN_USE(this.#address, error) : error;
    }
  }

  stop(deadline: Deadline): Promise<void> {
    return this.#listener.stop(deadline);
  }

  health(): Health {
    return HEALTHY;
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Whoever stops reading a body half-way takes the socket from the request.
    const visitor = visitorOf(request);
    let answer: Answer;
    try {
      answer = await this.#answer(request, visitor);
    } catch (error) {
      this.#tools.logger.warn({ url: request.url, reason: messageOf(error) }, 'request failed');
      answer = { status: 503, body: { reason: messageOf(error) } };
    }
    this.#noteRefusal(request, visitor, answer);
    const headers = {
      ...{ 'content-type': answer.text === undefined ? 'application/json' : METRICS_CONTENT_TYPE, ...SECURE_HEADERS },
      // What was not read of a body would be taken for the next request.
      ...(request.method === 'GET' || request.complete ? {} : { connection: 'close' }),
      ...answer.headers,
    };
    response.writeHead(answer.status, headers).end(answer.text ?? `${JSON.stringify(answer.body)}\n`);
  }

  #noteRefusal({ method, url }: IncomingMessage, { remoteAddress }: HttpVisitor, { refusal }: Answer): void {
    if (refusal === undefined) return;
    this.#refusals.add(refusal, { remoteAddress, method, url: url?.slice(0, 128) });
  }

  async #answer(request: IncomingMessage, visitor: HttpVisitor): Promise<Answer> {
    const entry = mayEnter(visitor, this.#address.host);
    if (entry !== 'pass') return REFUSED[entry];
    const verdict = mayAsk(request.url === '/healthz' ? 'open' : 'admin', visitor, this.#token);
    return verdict === 'pass' ? answerRequest(this.#routes, request) : REFUSED[verdict];
  }

  #readiness(): Answer {
    const parts = this.#tools.healths();
    const isFailing = Object.values(parts).some(({ state }) => state === 'failing');
    return { status: isFailing ? 503 : 200, body: { parts } };
  }
}

const visitorOf = ({ socket, headers: { host, authorization } }: IncomingMessage): HttpVisitor => ({
  ...{ isTls: socket instanceof TLSSocket, remoteAddress: socket.remoteAddress ?? '', host, authorization },
});
