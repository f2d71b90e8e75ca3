// Health and readiness of the hub over HTTP. `/healthz`: the process works. `/readyz`: every part is well; the body says which
// part is not and why.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Deadline } from '../../kit/deadline.ts';
import { codeOf } from '../../kit/errors.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { adminErrors } from './errors.ts';

export interface AdminConfig {
  readonly host: string;
  readonly port: number;
}

export class AdminServer implements Service {
  readonly name = 'admin';
  readonly #config: AdminConfig;
  readonly #parts: () => readonly Service[];
  #server: Server | undefined;
  #port = 0;

  constructor(config: AdminConfig, tools: { readonly parts: () => readonly Service[] }) {
    this.#config = config;
    this.#parts = tools.parts;
  }

  /** Known once started. */
  get url(): string {
    const { host } = this.#config;
    return `http://${host.includes(':') ? `[${host}]` : host}:${this.#port}`;
  }

  /** Rejects with HUB_HTTP_PORT_IN_USE. */
  async start(_signal: AbortSignal): Promise<void> {
    const server = createServer((request, response) => this.#answer(request, response));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) =>
        reject(codeOf(error) === 'EADDRINUSE' ? adminErrors.HUB_HTTP_PORT_IN_USE({ ...this.#config }, error) : error),
      );
      server.listen(this.#config.port, this.#config.host, resolve);
    });
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

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      send(response, 405, { error: 'only GET' });
      return;
    }
    const { pathname } = new URL(request.url ?? '/', 'http://hub');
    if (pathname === '/healthz') {
      send(response, 200, { state: 'ok' });
      return;
    }
    if (pathname !== '/readyz') {
      send(response, 404, { error: 'try /healthz or /readyz' });
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
