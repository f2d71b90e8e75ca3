// What the edge node answers over HTTP, as a table: docs/reference/edge-http.md lists the same. Pure.
import type { IncomingMessage } from 'node:http';
import type { Answer } from './answers.ts';

export interface Asked {
  readonly request: IncomingMessage;
  /** What stands in the places of `<…>`. */
  readonly named: readonly string[];
  readonly query: URLSearchParams;
}

/** By method and path, such as `GET /twins/<namespace>/<device>`. */
export type Routes = Readonly<Record<string, (asked: Asked) => Answer | Promise<Answer>>>;

export function answerRequest(routes: Routes, request: IncomingMessage): Answer | Promise<Answer> {
  const { path, query } = addressOf(request);
  const allowed: string[] = [];
  for (const [route, answer] of Object.entries(routes)) {
    const [method = '', form = ''] = route.split(' ');
    const named = namedIn(form, path);
    if (named === undefined) continue;
    if (method === request.method) return answer({ request, named, query });
    allowed.push(method);
  }
  const known = Object.keys(routes).join(', ');
  return allowed.length === 0
    ? { status: 404, refusal: 'unknown', body: { reason: `nothing here; try ${known}` } }
    : {
        ...{ status: 405, headers: { allow: allowed.join(', ') }, refusal: 'method' },
        body: { reason: `${request.method ?? ''} does nothing here; ${allowed.join(' and ')} does` },
      };
}

/** `undefined` where the path is of another form. */
function namedIn(form: string, path: readonly string[]): readonly string[] | undefined {
  const levels = form.split('/').slice(1);
  if (levels.length !== path.length) return undefined;
  const isFree = (level: string | undefined): boolean => level?.startsWith('<') === true;
  if (!levels.every((level, place) => isFree(level) || level === path[place])) return undefined;
  return path.filter((_, place) => isFree(levels[place]));
}

/** Names of devices and properties need no escapes but `@`, `,`, `:`, `/` and `#` of properties; a malformed one leads nowhere. */
function addressOf(request: IncomingMessage): { readonly path: readonly string[]; readonly query: URLSearchParams } {
  try {
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://edge');
    return { path: pathname.split('/').slice(1).map(decodeURIComponent), query };
  } catch (error) {
    if (error instanceof URIError || error instanceof TypeError) return { path: [], query: new URLSearchParams() };
    throw error;
  }
}
