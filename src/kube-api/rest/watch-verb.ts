// `?watch=true`: first what the log still holds since the client's resourceVersion, then every change as it is committed.
// A session never holds events back in memory: while it catches up it reads the log at the client's pace, and afterwards a
// client that does not keep up is cut off and resumes from where it was.
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { mebibytes } from '../../kit/units.ts';
import type { JsonObject, KubeObject } from '../json.ts';
import { apiVersionOf } from '../kinds/resource-kind.ts';
import { isSelected, selectableOf, type Selector } from '../rules/selector.ts';
import { asServed } from '../rules/versions.ts';
import { StatusError, expired, invalid } from '../status.ts';
import type { StoreEvent } from '../storage/store-event.ts';
import { partialObject, tableOf, type IncludeObject } from '../tables/table.ts';
import { includeObjectOf, isTrue, numberOf, type Call } from './call.ts';
import { selectorOf, type ReadTools } from './read-verbs.ts';

type EventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';

const MOST_BUFFERED = mebibytes(4);
const BOOKMARK_EVERY_MS = 60_000;
const SHORTEST_MS = 30 * 60_000;

/** Resolves when the watch is over: the client left, its time is up, or the server stops. */
export async function watchObjects(
  call: Call,
  response: ServerResponse,
  tools: ReadTools,
  stopping: AbortSignal,
): Promise<void> {
  const session = new WatchSession(call, response, tools);
  const timeout = numberOf(call.query, 'timeoutSeconds', 0) * 1000 || SHORTEST_MS * (1 + Math.random());
  const end = (): void => {
    session.finish();
  };
  const timer = setTimeout(end, timeout);
  stopping.addEventListener('abort', end, { once: true });
  try {
    await session.run();
  } finally {
    clearTimeout(timer);
    stopping.removeEventListener('abort', end);
  }
}

class WatchSession {
  readonly #call: Call;
  readonly #response: ServerResponse;
  readonly #tools: ReadTools;
  readonly #selector: Selector;
  readonly #include: IncludeObject;
  #isFirstTable = true;

  constructor(call: Call, response: ServerResponse, tools: ReadTools) {
    this.#call = call;
    this.#response = response;
    this.#tools = tools;
    this.#selector = selectorOf(call);
    this.#include = includeObjectOf(call);
    refuseInitialEvents(call);
  }

  async run(): Promise<void> {
    const from = numberOf(this.#call.query, 'resourceVersion', 0);
    this.#response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
    this.#response.flushHeaders();
    try {
      await this.#catchUp(from === 0 ? await this.#sendExisting() : from);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      this.#sendLine('ERROR', error.toStatus());
      this.finish();
    }
    await this.#follow();
  }

  finish(): void {
    if (!this.#response.writableEnded) this.#response.end();
  }

  async #sendExisting(): Promise<number> {
    const { kind, namespace } = this.#call;
    const page = await this.#tools.reader.page({
      kind,
      namespace,
      selector: this.#selector,
      limit: 0,
      after: undefined,
    });
    for (const object of page.objects) await this.#sendPaced('ADDED', object);
    return page.revision;
  }

  async #catchUp(from: number): Promise<void> {
    const { store } = this.#tools;
    let seen = from;
    if (seen > store.revision) throw tooLarge(seen, store.revision);
    while (seen < store.revision && !this.#response.writableEnded) {
      if (!store.remembers(seen)) throw tooOld(seen);
      const through = store.revision;
      for await (const event of store.changes(this.#call.kind.collection, seen, through)) {
        const type = this.#visibleType(event);
        if (type !== undefined) await this.#sendPaced(type, asServed(this.#call.kind, event.object));
      }
      seen = through;
    }
  }

  /** Runs from the very moment that `#catchUp` has seen everything: nothing is awaited between the two. */
  async #follow(): Promise<void> {
    if (this.#response.writableEnded || this.#response.destroyed) return;
    const { store } = this.#tools;
    const unsubscribe = store.subscribe((event) => this.#hear(event));
    const bookmarks = setInterval(() => this.#sendBookmark(), BOOKMARK_EVERY_MS);
    try {
      if (!this.#response.closed) await once(this.#response, 'close');
    } finally {
      clearInterval(bookmarks);
      unsubscribe();
    }
  }

  #hear(event: StoreEvent): void {
    if (event.collection !== this.#call.kind.collection || this.#response.writableEnded) return;
    const type = this.#visibleType(event);
    if (type === undefined) return;
    if (this.#response.writableLength > MOST_BUFFERED) this.#response.destroy();
    else this.#send(type, asServed(this.#call.kind, event.object));
  }

  /** What the change means to a client that sees only what its selector lets through. */
  #visibleType(event: StoreEvent): EventType | undefined {
    const { kind, namespace } = this.#call;
    if (namespace !== undefined && event.object.metadata.namespace !== namespace) return undefined;
    const isNow = event.type !== 'DELETED' && isSelected(this.#selector, selectableOf(kind, event.object));
    const wasBefore = event.before !== undefined && isSelected(this.#selector, event.before);
    if (isNow) return wasBefore ? 'MODIFIED' : 'ADDED';
    return wasBefore ? 'DELETED' : undefined;
  }

  async #sendPaced(type: EventType, object: KubeObject): Promise<void> {
    if (this.#response.destroyed || this.#response.writableEnded) return;
    if (this.#send(type, object)) return;
    await drained(this.#response);
  }

  #send(type: EventType, object: KubeObject): boolean {
    switch (this.#call.form) {
      case 'table':
        return this.#sendLine(type, this.#tableRow(object));
      case 'metadata':
        return this.#sendLine(type, partialObject(object));
      case 'json':
        return this.#sendLine(type, object);
    }
  }

  #tableRow(object: KubeObject): JsonObject {
    const options = { includeObject: this.#include, now: this.#tools.clock.now(), withHeadings: this.#isFirstTable };
    this.#isFirstTable = false;
    return tableOf(this.#call.kind.columns, [object], { resourceVersion: object.metadata.resourceVersion }, options);
  }

  #sendBookmark(): void {
    const { kind, query } = this.#call;
    if (!isTrue(query.get('allowWatchBookmarks')) || this.#response.writableEnded) return;
    const metadata = { resourceVersion: String(this.#tools.store.revision), creationTimestamp: null };
    this.#sendLine('BOOKMARK', { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata });
  }

  #sendLine(type: EventType, object: JsonObject): boolean {
    return this.#response.write(`${JSON.stringify({ type, object })}\n`);
  }
}

/** As a server without the WatchList feature does; clients then list and watch. */
function refuseInitialEvents({ kind, query }: Call): void {
  if (query.get('sendInitialEvents') === null) return;
  const message = 'Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled';
  throw invalid({ ...kind, kind: 'ListOptions', group: 'meta.k8s.io' }, '', [
    { reason: 'FieldValueForbidden', message, field: 'sendInitialEvents' },
  ]);
}

const tooOld = (seen: number): StatusError => expired(`too old resource version: ${seen}: list again`);
const tooLarge = (seen: number, newest: number): StatusError =>
  expired(`resource version ${seen} is newer than this server's newest, ${newest}: list again`);

/** Resolves when the response takes more, or takes no more ever. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.once('drain', done).once('close', done);
  });
}
