// Twins over HTTP: read, and what somebody at this node wants of them.
import type { IncomingMessage } from 'node:http';
import { unknownDevice, type Answer } from './answers.ts';
import { answerPastTwin, type PastRequests } from './history-routes.ts';

/** `undefined`: no such device. */
export interface TwinRequests {
  list(): unknown;
  read(namespace: string, name: string): unknown;
  setDesired(namespace: string, name: string, wish: Wish): Promise<WishOutcome>;
  /** What the cloud wants of the property counts again. */
  release(namespace: string, name: string, property: string): Promise<WishOutcome>;
  readonly past: PastRequests;
}

export interface Wish {
  readonly property: string;
  readonly value: unknown;
}

export type WishOutcome =
  | { readonly kind: 'done'; readonly twin: unknown }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unknown' };

const LARGEST_BODY = 1024 * 1024;

export interface Route {
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

/** `path` is what stands behind `/twins`: nothing, or a device, or a property of one. */
export async function answerTwins(
  twins: TwinRequests,
  request: IncomingMessage,
  { path: [namespace, name, property], query }: Route,
): Promise<Answer> {
  if (namespace === undefined || name === undefined)
    return request.method === 'GET' ? { status: 200, body: twins.list() } : NOT_ALLOWED;
  if (request.method === 'GET') return read(twins, { namespace, name }, query.get('at'));
  if (property === undefined) return NOT_ALLOWED;
  if (request.method === 'PUT') return set(twins, request, { namespace, name, property });
  if (request.method !== 'DELETE') return NOT_ALLOWED;
  return answerTo(await twins.release(namespace, name, property), namespace, name);
}

function read(twins: TwinRequests, device: Omit<Place, 'property'>, at: string | null): Answer | Promise<Answer> {
  const { namespace, name } = device;
  if (at !== null) return answerPastTwin(twins.past, device, at);
  const twin = twins.read(namespace, name);
  return twin === undefined ? unknownDevice(namespace, name) : { status: 200, body: twin };
}

interface Place {
  readonly namespace: string;
  readonly name: string;
  readonly property: string;
}

async function set(
  twins: TwinRequests,
  request: IncomingMessage,
  { namespace, name, property }: Place,
): Promise<Answer> {
  const value = await readBody(request);
  if (value === undefined) return { status: 413, body: { reason: `the value is larger than ${LARGEST_BODY} bytes` } };
  return answerTo(await twins.setDesired(namespace, name, { property, value }), namespace, name);
}

function answerTo(outcome: WishOutcome, namespace: string, name: string): Answer {
  if (outcome.kind === 'unknown') return unknownDevice(namespace, name);
  if (outcome.kind === 'refused') return { status: 400, body: { reason: outcome.reason } };
  return { status: 200, body: outcome.twin };
}

const NOT_ALLOWED: Answer = {
  status: 405,
  body: { reason: 'GET a twin, or PUT a value to /twins/<namespace>/<device>/<property>, or DELETE it there again' },
};

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LARGEST_BODY) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
