// Makes sure that the API server knows our kinds: creates or updates the definitions in a folder and waits until they are served.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { aborted } from '../../kit/aborted.ts';
import { backoffDelay } from '../../kit/backoff.ts';
import type { Deadline } from '../../kit/deadline.ts';
import { messageOf } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { sleep } from '../../kit/sleep.ts';
import { TaskGroup } from '../../kit/task-group.ts';
import { ms, seconds } from '../../kit/units.ts';
import { asArray, asObject, asString, type JsonObject } from '../../wire/json.ts';
import { kubeErrors } from './errors.ts';
import type { KubeClient } from './kube-client.ts';
import { metadataOf } from './resources.ts';

const CRDS_PATH = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const HASH_ANNOTATION = 'skerry.io/definition-hash';
const RETRY = { first: ms(100), most: seconds(5) };

/** Reads every definition of the folder. Rejects with CRD_FILES_INVALID. */
export async function readCrds(dir: string): Promise<readonly JsonObject[]> {
  try {
    const files = (await readdir(dir)).filter((file) => /\.ya?ml$/.test(file)).sort();
    const texts = await Promise.all(files.map((file) => readFile(join(dir, file), 'utf8')));
    const found = texts
      .flatMap((text) => documentsOf(text))
      .filter((raw) => raw['kind'] === 'CustomResourceDefinition');
    if (found.length === 0) throw new Error('there is none');
    return found;
  } catch (error) {
    throw kubeErrors.CRD_FILES_INVALID({ dir, reason: messageOf(error) }, error);
  }
}

function documentsOf(text: string): readonly JsonObject[] {
  const parsed = parseAllDocuments(text);
  return Array.from(parsed as Iterable<{ errors: readonly Error[]; toJS(): unknown }>, (document) => {
    const [failure] = document.errors;
    if (failure !== undefined) throw failure;
    return asObject(document.toJS()) ?? {};
  });
}

export class CrdInstaller implements Service {
  readonly name = 'crds';
  readonly #dir: string;
  readonly #client: KubeClient;
  readonly #logger: Logger;
  readonly #tasks = new TaskGroup();
  #reason: string | undefined = 'not checked yet';

  constructor(config: { readonly dir: string }, tools: { readonly client: KubeClient; readonly logger: Logger }) {
    this.#dir = config.dir;
    this.#client = tools.client;
    this.#logger = tools.logger;
  }

  get ended(): Promise<unknown> {
    return this.#tasks.ended;
  }

  /** Resolves when the files are read; the API server may be away. Rejects with CRD_FILES_INVALID. */
  async start(_signal: AbortSignal): Promise<void> {
    const wanted = await readCrds(this.#dir);
    this.#tasks.run('install', (signal) => this.#install(wanted, signal));
  }

  async stop(deadline: Deadline): Promise<void> {
    await this.#tasks.close(deadline);
  }

  health(): Health {
    return this.#reason === undefined
      ? HEALTHY
      : { state: 'degraded', reason: `custom resource definitions: ${this.#reason}` };
  }

  async #install(wanted: readonly JsonObject[], signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        const served = await Promise.all(wanted.map((crd) => this.#ensure(crd, signal)));
        this.#reason = served.every(Boolean) ? undefined : 'not served yet';
        if (this.#reason === undefined) {
          await aborted(signal);
          return;
        }
      } catch (error) {
        this.#reason = messageOf(error);
        this.#logger.debug({ reason: this.#reason }, 'custom resource definitions are not in place yet');
      }
      await sleep(backoffDelay(RETRY, attempt), signal);
    }
  }

  /** True once the API server serves the definition as the file says. */
  async #ensure(crd: JsonObject, signal: AbortSignal): Promise<boolean> {
    const name = asString(asObject(crd['metadata'])?.['name']) ?? '';
    const path = `${CRDS_PATH}/${name}`;
    const hash = createHash('sha256').update(JSON.stringify(crd)).digest('hex').slice(0, 16);
    const found = await this.#client.request({ method: 'GET', path }, signal);
    if (found.status === 404) {
      await this.#client.request({ method: 'POST', path: CRDS_PATH, body: marked(crd, hash, {}) }, signal);
      return false;
    }
    if (annotationsOf(found.body)[HASH_ANNOTATION] === hash) return isEstablished(found.body);
    const body = { ...marked(crd, hash, found.body), spec: specOver(crd, found.body) };
    await this.#client.request({ method: 'PUT', path, body }, signal);
    this.#logger.info({ crd: name }, 'custom resource definition updated');
    return false;
  }
}

const annotationsOf = (object: JsonObject): JsonObject => asObject(asObject(object['metadata'])?.['annotations']) ?? {};

function marked(crd: JsonObject, hash: string, found: JsonObject): JsonObject {
  const annotations = { ...annotationsOf(found), ...annotationsOf(crd), [HASH_ANNOTATION]: hash };
  return { ...crd, metadata: { ...metadataOf(found), ...asObject(crd['metadata']), annotations } };
}

/** Older versions that a KubeEdge installation serves stay served: the API server refuses to forget a stored version. */
function specOver(crd: JsonObject, found: JsonObject): JsonObject {
  const ours = asObject(crd['spec']) ?? {};
  const versions = (asArray(ours['versions']) ?? []).map((version) => asObject(version) ?? {});
  const names = new Set(versions.map((version) => version['name']));
  const others = (asArray(asObject(found['spec'])?.['versions']) ?? [])
    .map((version) => asObject(version) ?? {})
    .filter((version) => !names.has(version['name']))
    .map((version) => ({ ...version, storage: false }));
  return { ...ours, versions: [...versions, ...others] };
}

function isEstablished(crd: JsonObject): boolean {
  const conditions = asArray(asObject(crd['status'])?.['conditions']) ?? [];
  return conditions.some((item) => asObject(item)?.['type'] === 'Established' && asObject(item)?.['status'] === 'True');
}
