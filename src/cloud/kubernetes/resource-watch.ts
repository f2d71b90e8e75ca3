// One collection, listed and then watched for ever: survives 410, time-outs, silence and network loss. The client library's
// informer stops on most errors, so restarting, waiting and listing again are ours. Never lets a deletion pass unseen: after
// anything but a clean end it lists again and compares.
import { backoffDelay } from '../../kit/backoff.ts';
import type { Deadline } from '../../kit/deadline.ts';
import { isAbort, messageOf } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { sleep } from '../../kit/sleep.ts';
import { TaskGroup } from '../../kit/task-group.ts';
import { ms, seconds } from '../../kit/units.ts';
import { asArray, asInteger, asObject, asString, type JsonObject } from '../../wire/json.ts';
import { kubeErrors } from './errors.ts';
import type { KubeClient } from './kube-client.ts';
import { ResourceCache, type ResourceEvent } from './resource-cache.ts';
import { kubeObjectFrom, type KubeObject } from './resources.ts';

export interface WatchConfig {
  /** Of the collection, over all namespaces. */
  readonly path: string;
  readonly apiVersion: string;
  readonly kind: string;
}

const RETRY = { first: ms(50), most: seconds(5) };
const PAGE = 500;
const WATCH_SECONDS = 240;
/** The server ends a watch after the time asked for, so a connection silent for longer than that is dead. */
const SILENCE = seconds(WATCH_SECONDS + 15);
/** A watch that lived this long shows that the server is well: the next trouble starts with the shortest wait. */
const GOOD_WATCH = seconds(5);

export class ResourceWatch<T extends KubeObject> implements Service {
  readonly name: string;
  readonly #config: WatchConfig;
  readonly #client: KubeClient;
  readonly #logger: Logger;
  readonly #tasks = new TaskGroup();
  readonly #cache = new ResourceCache<T>();
  readonly #listeners: ((event: ResourceEvent<T>) => void)[] = [];
  #interrupt: AbortController | undefined;
  #relistAsked = false;
  #reason: string | undefined = 'not listed yet';

  constructor(config: WatchConfig, tools: { readonly client: KubeClient; readonly logger: Logger }) {
    this.name = `watch-${config.kind.toLowerCase()}`;
    this.#config = config;
    this.#client = tools.client;
    this.#logger = tools.logger;
  }

  get ended(): Promise<unknown> {
    return this.#tasks.ended;
  }

  /** How many complete lists were worked in; 0: nothing is known yet. */
  get lists(): number {
    return this.#cache.lists;
  }

  get(key: string): T | undefined {
    return this.#cache.get(key);
  }

  values(): IterableIterator<T> {
    return this.#cache.values();
  }

  /** Register before `start`. The listener must not throw. */
  onEvent(listener: (event: ResourceEvent<T>) => void): void {
    this.#listeners.push(listener);
  }

  /** An object as it came back from a write or a read of our own: known at once, before the watch tells. */
  refresh(raw: JsonObject): T | undefined {
    const object = this.#decode(raw);
    if (object !== undefined) this.#tell(this.#cache.refresh(object));
    return object;
  }

  /** Asks for a second look: a complete new list, as soon as possible. */
  relist(): void {
    this.#relistAsked = true;
    this.#interrupt?.abort();
  }

  start(_signal: AbortSignal): Promise<void> {
    this.#tasks.run('watch', (signal) => this.#run(signal));
    return Promise.resolve();
  }

  async stop(deadline: Deadline): Promise<void> {
    await this.#tasks.close(deadline);
  }

  health(): Health {
    return this.#reason === undefined
      ? HEALTHY
      : { state: 'degraded', reason: `${this.#config.kind} objects are not watched: ${this.#reason}` };
  }

  async #run(signal: AbortSignal): Promise<void> {
    let attempt = 0;
    while (!signal.aborted) {
      const begun = performance.now();
      try {
        await this.#follow(await this.#list(signal), signal);
      } catch (error) {
        if (isAbort(error)) return;
        this.#lost(error);
      }
      attempt = performance.now() - begun > GOOD_WATCH ? 0 : attempt + 1;
      if (attempt > 1 || this.#reason !== undefined) await sleep(backoffDelay(RETRY, attempt), signal);
    }
  }

  /** Works in one complete list, page by page; resolves with the version to watch from. */
  async #list(signal: AbortSignal): Promise<string> {
    this.#relistAsked = false;
    const objects: T[] = [];
    let page = await this.#page('', signal);
    objects.push(...page.objects);
    while (page.next !== '') {
      page = await this.#page(page.next, signal);
      objects.push(...page.objects);
    }
    this.#reason = undefined;
    this.#tell(this.#cache.replaceAll(objects));
    return page.version;
  }

  async #page(token: string, signal: AbortSignal): Promise<{ objects: readonly T[]; next: string; version: string }> {
    const query = new URLSearchParams({ limit: String(PAGE), ...(token === '' ? {} : { continue: token }) });
    const path = `${this.#config.path}?${query.toString()}`;
    const { status, body } = await this.#client.request({ method: 'GET', path }, signal);
    if (status !== 200) throw this.#noList(status, body);
    const items = (asArray(body['items']) ?? []).map((item) => this.#decode(asObject(item) ?? {}));
    const metadata = asObject(body['metadata']) ?? {};
    return {
      objects: items.filter((object) => object !== undefined),
      next: asString(metadata['continue']) ?? '',
      version: asString(metadata['resourceVersion']) ?? '',
    };
  }

  /** Watches from there, again and again, until the server says that the version is too old or somebody wants a new list. */
  async #follow(from: string, signal: AbortSignal): Promise<void> {
    let version: string | undefined = from;
    while (version !== undefined && !signal.aborted && !this.#relistAsked) {
      const interrupt = new AbortController();
      this.#interrupt = interrupt;
      try {
        version = await this.#watch(version, AbortSignal.any([signal, interrupt.signal]));
      } catch (error) {
        if (interrupt.signal.aborted) return;
        throw error;
      } finally {
        this.#interrupt = undefined;
      }
    }
  }

  /** Resolves with the version to go on from, or `undefined` when only a new list helps. */
  async #watch(from: string, signal: AbortSignal): Promise<string | undefined> {
    const seen = { version: from, isTooOld: false };
    const query = new URLSearchParams({
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: from,
      timeoutSeconds: String(WATCH_SECONDS),
    });
    const onObject = (line: JsonObject): void => {
      const raw = asObject(line['object']) ?? {};
      if (line['type'] === 'ERROR') {
        seen.isTooOld = true;
        this.#logger.debug({ kind: this.#config.kind, code: asInteger(raw['code']) }, 'the watch must start anew');
      } else {
        seen.version = asString(asObject(raw['metadata'])?.['resourceVersion']) ?? seen.version;
        this.#take(String(line['type']), raw);
      }
    };
    const path = `${this.#config.path}?${query.toString()}`;
    const status = await this.#client.watch(path, { onObject, silence: SILENCE }, signal);
    return status === 200 && !seen.isTooOld ? seen.version : undefined;
  }

  #take(type: string, raw: JsonObject): void {
    if (type === 'BOOKMARK') return;
    const object = this.#decode(raw);
    if (object === undefined) return;
    this.#tell(type === 'DELETED' ? this.#cache.remove(object) : this.#cache.put(object));
  }

  #decode(raw: JsonObject): T | undefined {
    const { apiVersion, kind } = this.#config;
    return kubeObjectFrom<T>(raw, { apiVersion, kind });
  }

  #tell(events: readonly ResourceEvent<T>[]): void {
    for (const event of events) for (const listener of this.#listeners) listener(event);
  }

  #noList(status: number, body: JsonObject): Error {
    const reason = status === 404 ? `${this.#config.kind} is not known to it yet` : asString(body['message']);
    return kubeErrors.KUBE_UNAVAILABLE({
      method: 'GET',
      path: this.#config.path,
      reason: reason ?? `status ${status}`,
    });
  }

  #lost(error: unknown): void {
    if (this.#reason === undefined)
      this.#logger.warn({ kind: this.#config.kind, reason: messageOf(error) }, 'watch lost; listing again');
    this.#reason = messageOf(error);
  }
}
