import type { HttpAccess } from '../../kit/http-access.ts';

export interface HttpRequest {
  /** Parsed JSON of at most 64 KiB; `undefined` where there was none. */
  readonly body: unknown;
  readonly remoteAddress: string;
  readonly isTls: boolean;
  /** The name or address by which the visitor reached the hub, without port and brackets. Its own word: tell it nobody else. */
  readonly localHost: string;
}

export interface HttpAnswer {
  readonly status: number;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Plain text, sent instead. */
  readonly text?: string;
}

/** What a part of the hub answers over HTTP. Paths below `/v1/` are answered over TLS only. */
export interface HttpRoute {
  readonly method: 'GET' | 'POST';
  /** Compared as it stands; holds no parameters. */
  readonly path: string;
  /** `open` routes check what a visitor must show by themselves. */
  readonly access: HttpAccess;
  /** A rejection is answered with 500 and logged; nothing of it is told. */
  handle(request: HttpRequest): Promise<HttpAnswer>;
}
