// One run of the embedded API, from open to close. Whatever `open` cannot finish it undoes.
import { join } from 'node:path';
import type { Clock } from '../kit/clock.ts';
import { Deadline } from '../kit/deadline.ts';
import { codeOf } from '../kit/errors.ts';
import type { Logger } from '../kit/logger.ts';
import { TaskGroup } from '../kit/task-group.ts';
import { mebibytes, seconds } from '../kit/units.ts';
import { kubeApiErrors } from './errors.ts';
import { crdKind } from './kinds/built-in-kinds.ts';
import { KindRegistry } from './kinds/kind-registry.ts';
import { createFirstObjects } from './objects/first-objects.ts';
import { Janitor } from './objects/janitor.ts';
import { ObjectReader } from './objects/object-reader.ts';
import { ObjectWriter } from './objects/object-writer.ts';
import { Listener, urlOf } from './rest/listener.ts';
import { Router } from './rest/router.ts';
import { loadCredentials, type Credentials } from './security/credentials.ts';
import { kubeconfigOf } from './security/kubeconfig.ts';
import { ensurePrivateDirectory, writePrivateFile } from './security/private-file.ts';
import { openDatabase } from './storage/level-database.ts';
import { ObjectStore } from './storage/object-store.ts';

export interface RunConfig {
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  readonly kubeconfigFile: string;
}

interface RunTools {
  readonly logger: Logger;
  readonly clock: Clock;
}

const LOG_LIMITS = { entries: 10_000, bytes: mebibytes(64) };
const UNDO_WITHIN = seconds(2);

export class RunningApi {
  /** Settles with the failure that ended this run, or with `undefined` after `close`. Never rejects. */
  readonly failed: Promise<unknown>;
  readonly #store: ObjectStore;
  readonly #tasks = new TaskGroup();
  readonly #stopping = new AbortController();
  #listener: Listener | undefined;
  #url = '';

  private constructor(store: ObjectStore) {
    this.#store = store;
    this.failed = Promise.race([store.failed, this.#tasks.ended]);
  }

  static async open(config: RunConfig, tools: RunTools, signal: AbortSignal): Promise<RunningApi> {
    signal.throwIfAborted();
    await prepared(config, () => ensurePrivateDirectory(config.dataDir));
    const database = await openDatabase(join(config.dataDir, 'kube-api'));
    const run = new RunningApi(await openStore(database));
    try {
      signal.throwIfAborted();
      const credentials = await prepared(config, () => credentialsFor(config, tools));
      await run.#serve(config, credentials, tools);
      signal.throwIfAborted();
      return run;
    } catch (error) {
      await run.close(Deadline.after(UNDO_WITHIN));
      throw error;
    }
  }

  get url(): string {
    return this.#url;
  }

  /** Watches end, requests in flight are answered until the deadline, then the store closes. */
  async close(deadline: Deadline): Promise<void> {
    this.#stopping.abort();
    await this.#listener?.close(deadline);
    await this.#tasks.close(deadline);
    await this.#store.close();
  }

  async #serve(config: RunConfig, credentials: Credentials, tools: RunTools): Promise<void> {
    const store = this.#store;
    const registry = await this.#knownKinds();
    const shared = { store, clock: tools.clock };
    const reader = new ObjectReader(shared);
    const writer = new ObjectWriter(shared);
    await createFirstObjects(writer);
    await this.#clearUp(new Janitor({ store, reader, writer, registry, logger: tools.logger }));
    const { token } = credentials;
    const router = new Router({
      ...shared,
      reader,
      writer,
      registry,
      logger: tools.logger,
      token,
      stopping: this.#stopping.signal,
    });
    const listener = new Listener(credentials.server, (request, response) => void router.handle(request, response));
    this.#url = urlOf(await listener.open(config));
    this.#listener = listener;
    await writePrivateFile(config.kubeconfigFile, kubeconfigOf(this.#url, credentials));
  }

  async #knownKinds(): Promise<KindRegistry> {
    const registry = new KindRegistry();
    const snapshot = this.#store.snapshot();
    for await (const crd of snapshot.scan(crdKind.collection, {})) registry.define(crd);
    await snapshot.close();
    this.#store.subscribe((event) => registry.hear(event));
    return registry;
  }

  async #clearUp(janitor: Janitor): Promise<void> {
    await janitor.recall();
    this.#store.subscribe((event) => janitor.hear(event));
    this.#tasks.run('clear up', (signal) => janitor.run(signal));
    this.#tasks.run('sweep', (signal) => janitor.sweep(signal));
  }
}

/** Made while this process holds the database, so that two processes never make two CAs for one directory. */
function credentialsFor({ dataDir, host }: RunConfig, { clock }: RunTools): Promise<Credentials> {
  return loadCredentials(join(dataDir, 'kube-api-credentials'), host, new Date(clock.now()));
}

async function prepared<T>({ dataDir }: RunConfig, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!FILE_ERRORS.has(codeOf(error) ?? '')) throw error;
    throw kubeApiErrors.KUBE_API_DATA_DIR_UNUSABLE({ directory: dataDir }, error);
  }
}

const FILE_ERRORS = new Set(['EACCES', 'EEXIST', 'EISDIR', 'ENOSPC', 'ENOTDIR', 'EPERM', 'EROFS']);

async function openStore(database: Awaited<ReturnType<typeof openDatabase>>): Promise<ObjectStore> {
  try {
    return await ObjectStore.open(database, LOG_LIMITS);
  } catch (error) {
    await database.close();
    throw error;
  }
}
