// Everything that is not an object: health, version, discovery, OpenAPI.
import type { JsonObject } from '../json.ts';
import type { KindRegistry } from '../kinds/kind-registry.ts';
import { openApiDocument, openApiIndex } from '../openapi/openapi.ts';
import { StatusError } from '../status.ts';
import { wantedForm, type DiscoveryForm } from './accept.ts';
import { aggregatedDiscovery, apiGroup, apiGroupList, apiResourceList, apiVersions } from './discovery.ts';
import { ok, type Answer } from './respond.ts';
import { SERVER_VERSION } from './server-info.ts';

export interface DocumentRequest {
  readonly path: string;
  readonly accept: string | undefined;
  /** `host:port` as clients reach it. */
  readonly serverAddress: string;
}

const DISCOVERY_FORMS: readonly DiscoveryForm[] = ['discovery-v2', 'discovery-v2beta1', 'json'];

/** OpenAPI documents are made once for a set of kinds. */
export class DocumentRoutes {
  readonly #registry: KindRegistry;
  #madeFor = -1;
  readonly #made = new Map<string, JsonObject | undefined>();

  constructor(registry: KindRegistry) {
    this.#registry = registry;
  }

  /** The document at this path, or `undefined` when there is none. */
  answer(request: DocumentRequest): Answer | undefined {
    const { path } = request;
    if (path === '/version') return ok(SERVER_VERSION);
    if (path === '/api' || path === '/apis') return this.#discovery(request);
    if (path === '/openapi/v2') throw noOpenApiV2();
    if (path.startsWith('/openapi/v3')) return found(this.#openApi(path));
    return found(this.#plain(path));
  }

  #discovery({ path, accept, serverAddress }: DocumentRequest): Answer {
    const kinds = this.#registry.all();
    const form = wantedForm(accept, DISCOVERY_FORMS);
    if (form === 'json') return ok(path === '/api' ? apiVersions(serverAddress) : apiGroupList(kinds));
    const version = form === 'discovery-v2' ? 'v2' : 'v2beta1';
    const body = aggregatedDiscovery(kinds, path === '/api' ? 'legacy' : 'groups', version);
    const contentType = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
    return { code: 200, body, contentType, headers: { vary: 'Accept' } };
  }

  #plain(path: string): JsonObject | undefined {
    const [, root, first = '', second, ...more] = path.split('/');
    if (more.length > 0) return undefined;
    if (root === 'api' && second === undefined) return apiResourceList(this.#registry.all(), '', first);
    if (root !== 'apis') return undefined;
    return second === undefined
      ? apiGroup(this.#registry.all(), first)
      : apiResourceList(this.#registry.all(), first, second);
  }

  #openApi(path: string): JsonObject | undefined {
    if (this.#madeFor !== this.#registry.revision) this.#made.clear();
    this.#madeFor = this.#registry.revision;
    if (!this.#made.has(path)) this.#made.set(path, this.#makeOpenApi(path.slice('/openapi/v3'.length + 1)));
    return this.#made.get(path);
  }

  #makeOpenApi(name: string): JsonObject | undefined {
    return name === '' ? openApiIndex(this.#registry.all()) : openApiDocument(this.#registry.all(), name);
  }
}

const found = (body: JsonObject | undefined): Answer | undefined => (body === undefined ? undefined : ok(body));

const noOpenApiV2 = (): StatusError =>
  new StatusError(404, 'NotFound', 'this server describes its kinds in /openapi/v3, not in /openapi/v2', {});
