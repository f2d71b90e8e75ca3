// Health and readiness of the hub over HTTP. `/healthz`: the process works. `/readyz`: every part is well; the body says which
// part is not and why. `/status`, `/metrics`: what else a person, or a scraper, may want to know.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Deadline } from '../../kit/deadline.ts';
import { codeOf, messageOf } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import { exposition, METRICS_CONTENT_TYPE, type Metric } from '../../kit/metrics.ts';
import { isTrustedHost } from '../../kit/trusted-host.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { adminErrors } from './errors.ts';

const BASE = 'http://hub';

export interface AdminConfig {
  readonly host: string;
  readonly port: number;
}

export class AdminServer implements Service {
  readonly name = 'admin';
  readonly #config: AdminConfig;
  readonly #parts: () => readonly Service[];
  readonly #status: () => object;
  readonly #metrics: readonly Metric[];
  readonly #logger: Logger;
  #server: Server | undefined;
  #port = 0;

  constructor(
    config: AdminConfig,
    tools: {
      readonly parts: () => readonly Service[];
      readonly status: () => object;
      readonly metrics: readonly Metric[];
      readonly logger: Logger;
    },
  ) {
    this.#config = config;
    this.#parts = tools.parts;
    this.#status = tools.status;
    this.#metrics = tools.metrics;
    this.#logger = tools.logger;
  }

  /** Known once started. */
  get url(): string {
    const { host } = this.#config;
    return `http://${host.includes(':') ? `[${host}]` : host}:${this.#port}`;
  }

  /** Rejects with HUB_HTTP_PORT_IN_USE. */
  async start(_signal: AbortSignal): Promise<void> {
    const server = createServer((request, response) => this.#answer(request, response));
    await this.#listen(server);
    server.on('error', (error) => this.#logger.warn({ reason: messageOf(error) }, 'the HTTP server of the hub failed'));
    const address = server.address();
    this.#port = typeof address === 'object' && address !== null ? address.port : this.#config.port;
    this.#server = server;
  }

  async stop(deadline: Deadline): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await deadline.wait(closed, undefined);
  }

  health(): Health {
    return HEALTHY;
  }

  async #listen(server: Server): Promise<void> {
    const { host, port } = this.#config;
    server.listen(port, host);
    try {
      await once(server, 'listening');
    } catch (error) {
      throw codeOf(error) === 'EADDRINUSE' ? adminErrors.HUB_HTTP_PORT_IN_USE({ host, port }, error) : error;
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (!isTrustedHost(request.headers.host, this.#config.host)) {
      send(response, 421, { error: 'ask by IP address, as localhost or by the host given with --http' });
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      send(response, 405, { error: 'only GET' });
      return;
    }
    const url = request.url ?? '/';
    if (!URL.canParse(url, BASE)) {
      send(response, 400, { error: 'the path is not that of a URL' });
      return;
    }
    this.#answerPath(new URL(url, BASE).pathname, response);
  }

  #answerPath(pathname: string, response: ServerResponse): void {
    if (pathname === '/healthz') {
      send(response, 200, { state: 'ok' });
      return;
    }
    if (pathname === '/status') {
      send(response, 200, this.#status());
      return;
    }
    if (pathname === '/metrics') {
      response.writeHead(200, { 'content-type': METRICS_CONTENT_TYPE }).end(exposition(this.#metrics));
      return;
    }
    if (pathname !== '/readyz') {
      send(response, 404, { error: 'try /healthz, /readyz, /status or /metrics' });
      return;
    }
    const parts = Object.fromEntries(this.#parts().map((part) => [part.name, part.health()]));
    const isReady = Object.values(parts).every(({ state }) => state === 'ok');
    send(response, isReady ? 200 : 503, { state: isReady ? 'ok' : 'degraded', parts });
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}
