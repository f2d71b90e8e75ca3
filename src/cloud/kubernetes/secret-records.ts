// Records of our own in Kubernetes Secrets of the namespace `skerry-system`: whoever may read secrets there may read them. Changed
// only with the version that was read, so that two hubs and a command line do not overwrite one another.
import { asArray, asObject, asString, parseJson, type JsonObject } from '../../wire/json.ts';
import { kubeErrors } from './errors.ts';
import type { KubeAnswer, KubeClient, KubeRequest } from './kube-client.ts';

export interface RecordKind<T> {
  /** Of the names of the Secrets; the record's own name follows. */
  readonly prefix: string;
  /** That all of them carry. */
  readonly label: string;
  readonly decode: (raw: JsonObject) => T | undefined;
}

const NAMESPACE = 'skerry-system';
export const SECRETS_PATH = `/api/v1/namespaces/${NAMESPACE}/secrets`;
const FIELD = 'record';
const ATTEMPTS = 20;

/** Every method rejects with KUBE_UNAVAILABLE, KUBE_FORBIDDEN or KUBE_REFUSED. A Secret that holds no such record is not listed and never changed. */
export class SecretRecords<T extends object> {
  readonly #kind: RecordKind<T>;
  readonly #client: KubeClient;

  constructor(kind: RecordKind<T>, { client }: { readonly client: KubeClient }) {
    this.#kind = kind;
    this.#client = client;
  }

  async list(): Promise<readonly T[]> {
    const path = `${SECRETS_PATH}?labelSelector=${encodeURIComponent(this.#kind.label)}`;
    const { status, body } = await this.#client.request({ method: 'GET', path });
    if (status !== 200) return [];
    return (asArray(body['items']) ?? []).flatMap((item) => recordIn(asObject(item) ?? {}, this.#kind) ?? []);
  }

  async get(name: string): Promise<T | undefined> {
    const found = await this.#client.request({ method: 'GET', path: this.#path(name) });
    return found.status === 200 ? recordIn(found.body, this.#kind) : undefined;
  }

  /**
   * Lets `decide` make a new record of the present one, as often as others change it in between; `undefined` leaves it as it is.
   * Resolves with what is kept in the end, and rejects also with what `decide` throws.
   */
  async change(name: string, decide: (present: T | undefined) => T | undefined): Promise<T | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const found = await this.#client.request({ method: 'GET', path: this.#path(name) });
      const secret = found.status === 200 ? found.body : undefined;
      const present = secret === undefined ? undefined : recordIn(secret, this.#kind);
      if (secret !== undefined && present === undefined) throw this.#unreadable(name);
      const wanted = decide(present);
      if (wanted === undefined) return present;
      if (await this.#write(name, secret, wanted)) return wanted;
    }
    throw kubeErrors.KUBE_UNAVAILABLE({
      method: 'PUT',
      path: this.#path(name),
      reason: 'others change it all the time',
    });
  }

  /** False: there was none. */
  async remove(name: string): Promise<boolean> {
    const answer = await this.#client.request({ method: 'DELETE', path: this.#path(name) });
    return answer.status < 300;
  }

  /** Never overwritten: what it held may have kept somebody out. */
  #unreadable(name: string): Error {
    const reason = 'the Secret holds no record that can be read; restore it, or delete it to begin anew';
    return kubeErrors.KUBE_UNAVAILABLE({ method: 'PUT', path: this.#path(name), reason });
  }

  /** False: somebody else wrote in between. */
  async #write(name: string, secret: JsonObject | undefined, record: T): Promise<boolean> {
    const body = {
      ...{ apiVersion: 'v1', kind: 'Secret', type: 'Opaque' },
      metadata: {
        name: `${this.#kind.prefix}${name}`,
        namespace: NAMESPACE,
        labels: { [this.#kind.label]: '' },
        ...(secret === undefined ? {} : { resourceVersion: asObject(secret['metadata'])?.['resourceVersion'] }),
      },
      data: { [FIELD]: Buffer.from(JSON.stringify(record)).toString('base64') },
    };
    const request: KubeRequest =
      secret === undefined
        ? { method: 'POST', path: SECRETS_PATH, body }
        : { method: 'PUT', path: this.#path(name), body };
    const answer = await this.#send(request);
    // Removed in between counts as changed: the next look finds it gone.
    return answer.status < 300;
  }

  /** The namespace is made with the first record. */
  async #send(request: KubeRequest): Promise<KubeAnswer> {
    const answer = await this.#client.request(request);
    if (answer.status !== 404 || request.method !== 'POST') return answer;
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } };
    await this.#client.request({ method: 'POST', path: '/api/v1/namespaces', body: namespace });
    return await this.#client.request(request);
  }

  #path(name: string): string {
    return `${SECRETS_PATH}/${encodeURIComponent(`${this.#kind.prefix}${name}`)}`;
  }
}

/** The record that a Secret holds, if it is one of that kind. */
export function recordIn<T>(secret: JsonObject, kind: RecordKind<T>): T | undefined {
  const labels = asObject(asObject(secret['metadata'])?.['labels']) ?? {};
  const text = asString(asObject(secret['data'])?.[FIELD]);
  if (!(kind.label in labels) || text === undefined) return undefined;
  const raw = asObject(parseJson(Buffer.from(text, 'base64')));
  return raw === undefined ? undefined : kind.decode(raw);
}
