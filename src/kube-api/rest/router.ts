// From a request to its answer: who may ask, what the path names, which verb it is.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import type { KindRegistry } from '../kinds/kind-registry.ts';
import type { ResourceKind } from '../kinds/resource-kind.ts';
import { isAllowed } from '../security/authentication.ts';
import { StatusError, internalError, methodNotAllowed, unauthorized, unknownPath } from '../status.ts';
import { wantedForm, type ObjectForm } from './accept.ts';
import { isTrue, type Call } from './call.ts';
import { DocumentRoutes } from './document-routes.ts';
import { getObject, listObjects, type ReadTools } from './read-verbs.ts';
import { parseResourcePath, type ResourcePath } from './resource-path.ts';
import { send, sendStatus, sendText, type Answer } from './respond.ts';
import { watchObjects } from './watch-verb.ts';
import {
  createObject,
  deleteObject,
  deleteObjects,
  patchObject,
  replaceObject,
  type WriteTools,
} from './write-verbs.ts';

export interface RouterTools extends ReadTools, WriteTools {
  readonly registry: KindRegistry;
  readonly logger: Logger;
  readonly token: string;
  /** Aborts when the server stops: open watches end. */
  readonly stopping: AbortSignal;
}

const HEALTH_PATHS = new Set(['/readyz', '/livez', '/healthz']);
const OBJECT_FORMS: readonly ObjectForm[] = ['json', 'table', 'metadata'];

export class Router {
  readonly #tools: RouterTools;
  readonly #documents: DocumentRoutes;

  constructor(tools: RouterTools) {
    this.#tools = tools;
    this.#documents = new DocumentRoutes(tools.registry);
  }

  /** Answers every request, also the ones that fail. Never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#route(request, response);
    } catch (error) {
      this.#fail(request, response, error);
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'https://api');
    const path = pathname.length > 1 ? pathname.replace(/\/$/, '') : pathname;
    if (!isAllowed(path, request.headers.authorization, this.#tools.token)) throw unauthorized();
    if (HEALTH_PATHS.has(path)) {
      sendText(response, 200, { 'content-type': 'text/plain; charset=utf-8' })('ok');
      return;
    }
    const address = parseResourcePath(path);
    if (address === undefined) send(response, this.#document(request, path));
    else await this.#resource(this.#callOf(address, request, searchParams), response);
  }

  #document(request: IncomingMessage, path: string): Answer {
    const { accept, host = '' } = request.headers;
    const answer = this.#documents.answer({ path, accept, serverAddress: host });
    if (answer === undefined || request.method !== 'GET') throw unknownPath();
    return answer;
  }

  async #resource(call: Call, response: ServerResponse): Promise<void> {
    if (call.method === 'GET' && call.name === undefined && isTrue(call.query.get('watch'))) {
      await watchObjects(call, response, this.#tools, this.#tools.stopping);
      return;
    }
    send(response, await (call.name === undefined ? this.#onCollection(call) : this.#onObject(call, call.name)));
  }

  async #onCollection(call: Call): Promise<Answer> {
    switch (call.method) {
      case 'GET':
        return listObjects(call, this.#tools);
      case 'POST':
        return createObject(call, this.#tools);
      case 'DELETE':
        return deleteObjects(call, this.#tools);
      default:
        throw methodNotAllowed(call.kind, call.method);
    }
  }

  async #onObject(call: Call, name: string): Promise<Answer> {
    switch (call.method) {
      case 'GET':
        return getObject(call, name, this.#tools);
      case 'PUT':
        return replaceObject(call, name, this.#tools);
      case 'PATCH':
        return patchObject(call, name, this.#tools);
      case 'DELETE':
        if (call.subresource === undefined) return deleteObject(call, name, this.#tools);
        throw methodNotAllowed(call.kind, 'DELETE');
      default:
        throw methodNotAllowed(call.kind, call.method);
    }
  }

  #callOf(address: ResourcePath, request: IncomingMessage, query: URLSearchParams): Call {
    const kind = this.#tools.registry.find(address.group, address.version, address.plural);
    if (kind === undefined || !fits(address, kind)) throw unknownPath();
    const form = wantedForm(request.headers.accept, OBJECT_FORMS);
    const subresource = address.subresource === undefined ? undefined : 'status';
    return {
      kind,
      namespace: address.namespace,
      name: address.name,
      subresource,
      form,
      query,
      request,
      method: request.method ?? '',
    };
  }

  #fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    const isExpected = error instanceof StatusError;
    if (!isExpected && !request.destroyed)
      this.#tools.logger.error({ path: request.url, reason: messageOf(error) }, 'request failed');
    if (!request.complete) response.setHeader('connection', 'close');
    sendStatus(response, isExpected ? error : internalError());
  }
}

function fits({ namespace, name, subresource }: ResourcePath, kind: ResourceKind): boolean {
  if (kind.isNamespaced ? name !== undefined && namespace === undefined : namespace !== undefined) return false;
  return subresource === undefined || (subresource === 'status' && kind.hasStatus && name !== undefined);
}
