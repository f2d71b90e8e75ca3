// Health, metrics and twins over HTTP, for people and scripts on this node. Loopback unless configured otherwise.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Deadline } from '../../kit/deadline.ts';
import { codeOf, messageOf } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import { exposition, METRICS_CONTENT_TYPE, type Metric } from '../../kit/metrics.ts';
import { isTrustedHost } from '../../kit/trusted-host.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import type { NodeProblem } from '../../wire/node-reports.ts';
import { edgeErrors, type Address } from '../edge-config.ts';
import type { Answer } from './answers.ts';
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

export class EdgeAdmin implements Service {
  readonly name = 'admin';
  readonly #address: Address;
  readonly #tools: EdgeAdminTools;
  readonly #routes: Routes;
  #server: Server | undefined;

  constructor(config: { readonly http: Address }, tools: EdgeAdminTools) {
    this.#address = config.http;
    this.#tools = tools;
    this.#routes = {
      'GET /healthz': () => ({ status: 200, body: { state: 'ok' } }),
      'GET /readyz': () => this.#readiness(),
      'GET /status': () => ({ status: 200, body: tools.status() }),
      'GET /metrics': () => ({ status: 200, text: exposition(tools.metrics) }),
      ...twinRoutes(tools.twins),
      ...historyRoutes(tools.twins.past),
    };
  }

  /** Method and path of everything that is answered. */
  get routes(): readonly string[] {
    return Object.keys(this.#routes);
  }

  /** Where it listens; after start. */
  get url(): string {
    const address = this.#server?.address() as AddressInfo | null | undefined;
    const { host, port } = this.#address;
    return `http://${host.includes(':') ? `[${host}]` : host}:${address?.port ?? port}`;
  }

  async start(_signal: AbortSignal): Promise<void> {
    const server = createServer((request, response) => void this.#respond(request, response));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => {
        reject(codeOf(error) === 'EADDRINUSE' ? edgeErrors.EDGE_HTTP_PORT_IN_USE(this.#address, error) : error);
      });
      server.listen(this.#address.port, this.#address.host, resolve);
    });
    server.on('error', (error) => this.#tools.logger.warn({ reason: messageOf(error) }, 'HTTP server'));
    this.#server = server;
  }

  async stop(deadline: Deadline): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    await deadline.wait(closed, undefined);
    server.closeAllConnections();
  }

  health(): Health {
    return HEALTHY;
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let answer: Answer;
    try {
      answer = await this.#answer(request);
    } catch (error) {
      this.#tools.logger.warn({ url: request.url, reason: messageOf(error) }, 'request failed');
      answer = { status: 503, body: { reason: messageOf(error) } };
    }
    const headers = {
      'content-type': answer.text === undefined ? 'application/json' : METRICS_CONTENT_TYPE,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    };
    response.writeHead(answer.status, headers).end(answer.text ?? `${JSON.stringify(answer.body)}\n`);
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    if (!isTrustedHost(request.headers.host, this.#address.host)) return UNTRUSTED_HOST;
    return answerRequest(this.#routes, request);
  }

  #readiness(): Answer {
    const parts = this.#tools.healths();
    const isFailing = Object.values(parts).some(({ state }) => state === 'failing');
    return { status: isFailing ? 503 : 200, body: { parts } };
  }
}

const UNTRUSTED_HOST: Answer = {
  status: 421,
  body: {
    reason:
      'this Host is not an address of this node; ask it as localhost, by its IP address, or by the name in --http',
  },
};
