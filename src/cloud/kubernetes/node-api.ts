// Node objects and their leases in Kubernetes.
import { asObject, type JsonObject } from '../../wire/json.ts';
import { kubeErrors } from './errors.ts';
import { MERGE_PATCH, type KubeAnswer, type KubeClient, type KubeRequest } from './kube-client.ts';

const NODES = '/api/v1/nodes';
const LEASE_NAMESPACE = 'kube-node-lease';
const LEASES = `/apis/coordination.k8s.io/v1/namespaces/${LEASE_NAMESPACE}/leases`;

/** Every method rejects with KUBE_UNAVAILABLE, KUBE_FORBIDDEN or KUBE_REFUSED. */
export class NodeApi {
  readonly #client: KubeClient;

  constructor(tools: { readonly client: KubeClient }) {
    this.#client = tools.client;
  }

  async list(labelSelector: string): Promise<readonly JsonObject[]> {
    const path = `${NODES}?labelSelector=${encodeURIComponent(labelSelector)}`;
    const items = (await this.#do({ method: 'GET', path })).body['items'];
    return Array.isArray(items) ? items.map((item) => asObject(item) ?? {}) : [];
  }

  async get(name: string): Promise<JsonObject | undefined> {
    const answer = await this.#client.request({ method: 'GET', path: `${NODES}/${name}` });
    return answer.status === 200 ? answer.body : undefined;
  }

  async create(node: JsonObject): Promise<JsonObject | undefined> {
    const answer = await this.#client.request({ method: 'POST', path: NODES, body: node });
    return answer.status < 300 ? answer.body : undefined;
  }

  /** `undefined`: there is no such node any more. */
  async patchMetadata(name: string, metadata: JsonObject): Promise<JsonObject | undefined> {
    return await this.#patch(`${NODES}/${name}`, { metadata });
  }

  async patchStatus(name: string, status: JsonObject): Promise<JsonObject | undefined> {
    return await this.#patch(`${NODES}/${name}/status`, { status });
  }

  /** Makes the lease, or sets the time of its renewal. */
  async renewLease(name: string, lease: { readonly metadata: JsonObject; readonly spec: JsonObject }): Promise<void> {
    const renewed = await this.#patch(`${LEASES}/${name}`, { spec: lease.spec });
    if (renewed !== undefined) return;
    const body = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      ...lease,
      metadata: { ...lease.metadata, name, namespace: LEASE_NAMESPACE },
    };
    const made = await this.#client.request({ method: 'POST', path: LEASES, body });
    if (made.status !== 404) return;
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: LEASE_NAMESPACE } };
    await this.#client.request({ method: 'POST', path: '/api/v1/namespaces', body: namespace });
    await this.#do({ method: 'POST', path: LEASES, body });
  }

  async #patch(path: string, body: JsonObject): Promise<JsonObject | undefined> {
    const answer = await this.#client.request({ method: 'PATCH', path, body, contentType: MERGE_PATCH });
    if (answer.status === 404) return undefined;
    if (answer.status < 300) return answer.body;
    throw kubeErrors.KUBE_UNAVAILABLE({ method: 'PATCH', path, reason: `status ${answer.status}` });
  }

  async #do(request: KubeRequest): Promise<KubeAnswer> {
    const answer = await this.#client.request(request);
    const { method, path } = request;
    if (answer.status < 300) return answer;
    throw kubeErrors.KUBE_UNAVAILABLE({ method, path, reason: `status ${answer.status}` });
  }
}
