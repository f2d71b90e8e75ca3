// Requests to the API server: JSON in, JSON out, three kinds of error. Knows no resource.
import http from 'node:http';
import https from 'node:https';
import { codeOf, messageOf, SkerryError } from '../../kit/errors.ts';
import { seconds } from '../../kit/units.ts';
import { asObject, asString, parseJson, type JsonObject } from '../../wire/json.ts';
import { kubeErrors } from './errors.ts';
import { KubeCredentials, type Access } from './kube-credentials.ts';

export interface KubeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its query. */
  readonly path: string;
  readonly body?: unknown;
  /** `application/json` unless told; patches name their kind here. */
  readonly contentType?: string;
}

/** An answer that callers look at: success, or 404, 409, 410. Everything else is thrown. */
export interface KubeAnswer {
  readonly status: number;
  readonly body: JsonObject;
}

export const MERGE_PATCH = 'application/merge-patch+json';

const REQUEST_TIMEOUT = seconds(10);
const USER_AGENT = 'skerry-hub';

export class KubeClient {
  readonly #credentials: KubeCredentials;

  constructor(credentials: KubeCredentials) {
    this.#credentials = credentials;
  }

  /** Throws KUBE_CONFIG_INVALID, naming the file. */
  static fromFile(kubeconfig: string): KubeClient {
    return new KubeClient(KubeCredentials.load(kubeconfig));
  }

  get server(): string {
    return this.#credentials.server.href;
  }

  close(): void {
    this.#credentials.close();
  }

  /** Rejects with KUBE_UNAVAILABLE, KUBE_FORBIDDEN or KUBE_REFUSED, or with the abort. */
  async request(request: KubeRequest, signal?: AbortSignal): Promise<KubeAnswer> {
    const answer = await this.#sendTwice(request, signal);
    if (answer.status < 300 || [404, 409, 410].includes(answer.status)) return answer;
    throw this.#failure(request, answer);
  }

  /**
   * Opens a watch and hands over each line, parsed. Resolves when the server ends it. Rejects as `request` does, also with
   * KUBE_UNAVAILABLE when nothing at all came for `silence`, and resolves with the status for 404 and 410.
   */
  async watch(
    path: string,
    handlers: { readonly onObject: (object: JsonObject) => void; readonly silence: number },
    signal: AbortSignal,
  ): Promise<number> {
    const request: KubeRequest = { method: 'GET', path };
    const access = await this.#access(request);
    try {
      const response = await this.#open(request, { access, agent: access.watchAgent, signal });
      const status = response.statusCode ?? 0;
      if (status === 200) {
        response.setTimeout(handlers.silence, () => response.destroy(new Error('the watch went silent')));
        await readLines(response, handlers.onObject);
        return status;
      }
      const answer = await readAnswer(response);
      if (status === 404 || status === 410) return status;
      throw this.#failure(request, answer);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw error instanceof SkerryError ? error : this.#unreachable(request, error);
    }
  }

  /** A kept socket that the server closed at this very moment says nothing about the server: once more, over a new one. */
  async #sendTwice(request: KubeRequest, signal: AbortSignal | undefined): Promise<KubeAnswer> {
    try {
      return await this.#send(request, signal);
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      if (codeOf(cause) !== 'ECONNRESET' || request.method === 'POST') throw error;
      return await this.#send(request, signal);
    }
  }

  async #send(request: KubeRequest, signal: AbortSignal | undefined): Promise<KubeAnswer> {
    const access = await this.#access(request);
    try {
      const response = await this.#open(request, { access, agent: access.agent, signal });
      return await readAnswer(response);
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      throw this.#unreachable(request, error);
    }
  }

  async #access(request: KubeRequest): Promise<Access> {
    try {
      return await this.#credentials.access();
    } catch (error) {
      throw this.#unreachable(request, error);
    }
  }

  #open(
    request: KubeRequest,
    over: { readonly access: Access; readonly agent: http.Agent; readonly signal: AbortSignal | undefined },
  ): Promise<http.IncomingMessage> {
    const server = this.#credentials.server;
    const payload = request.body === undefined ? undefined : JSON.stringify(request.body);
    const options: https.RequestOptions = {
      method: request.method,
      host: server.hostname.replace(/^\[|\]$/g, ''),
      port: server.port,
      path: `${server.pathname.replace(/\/$/, '')}${request.path}`,
      agent: over.agent,
      ...(over.signal === undefined ? {} : { signal: over.signal }),
      headers: {
        ...over.access.headers,
        accept: 'application/json',
        'user-agent': USER_AGENT,
        ...(payload === undefined
          ? {}
          : {
              'content-type': request.contentType ?? 'application/json',
              'content-length': Buffer.byteLength(payload),
            }),
      },
    };
    return new Promise((resolve, reject) => {
      const outgoing = (server.protocol === 'http:' ? http : https).request(options, resolve);
      outgoing.on('error', reject);
      // Counts from when there is a socket, so a queue for one is not a silent server.
      outgoing.setTimeout(REQUEST_TIMEOUT, () => outgoing.destroy(new Error('no answer in time')));
      outgoing.end(payload);
    });
  }

  #failure(request: KubeRequest, { status, body }: KubeAnswer): Error {
    const { method, path } = request;
    const reason = asString(body['message']) ?? `HTTP status ${status}`;
    if (status === 401) this.#credentials.expire();
    if (status === 401 || status === 403) return kubeErrors.KUBE_FORBIDDEN({ method, path, reason });
    if (status === 429 || status >= 500) return kubeErrors.KUBE_UNAVAILABLE({ method, path, reason });
    return kubeErrors.KUBE_REFUSED({ method, path, reason, status });
  }

  #unreachable(request: KubeRequest, error: unknown): Error {
    const { method, path } = request;
    return kubeErrors.KUBE_UNAVAILABLE({ method, path, reason: messageOf(error) }, error);
  }
}

async function readAnswer(response: http.IncomingMessage): Promise<KubeAnswer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return { status: response.statusCode ?? 0, body: asObject(parseJson(Buffer.concat(chunks))) ?? {} };
}

async function readLines(response: http.IncomingMessage, onObject: (object: JsonObject) => void): Promise<void> {
  response.setEncoding('utf8');
  let rest = '';
  for await (const chunk of response as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const object = line === '' ? undefined : asObject(parseJson(line));
      if (object !== undefined) onObject(object);
    }
  }
}
