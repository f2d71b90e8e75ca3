// Twins over HTTP: read, and what somebody at this node wants of them.
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { unknownDevice, unknownProperty, type Answer } from './answers.ts';
import { answerPastTwin, type PastRequests } from './history-routes.ts';
import type { Routes } from './routes.ts';

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
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unknown-property'; readonly known: readonly string[] };

const LARGEST_BODY = 1024 * 1024;

export const twinRoutes = (twins: TwinRequests): Routes => ({
  'GET /twins': () => ({ status: 200, body: twins.list() }),
  'GET /twins/<namespace>/<device>': ({ named: [namespace = '', name = ''], query }) =>
    read(twins, { namespace, name }, query.get('at')),
  'PUT /twins/<namespace>/<device>/<property>': ({ request, named: [namespace = '', name = '', property = ''] }) =>
    set(twins, request, { namespace, name, property }),
  'DELETE /twins/<namespace>/<device>/<property>': async ({ named: [namespace = '', name = '', property = ''] }) =>
    answerTo(await twins.release(namespace, name, property), { namespace, name, property }),
});

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
  const body = await readBody(request);
  if (body === undefined)
    return { status: 413, refusal: 'too-large', body: { reason: `the value is larger than ${LARGEST_BODY} bytes` } };
  if (!isUtf8(body)) return { status: 400, body: { reason: 'the value must be text in UTF-8' } };
  const value = body.toString('utf8');
  return answerTo(await twins.setDesired(namespace, name, { property, value }), { namespace, name, property });
}

function answerTo(outcome: WishOutcome, { namespace, name, property }: Place): Answer {
  if (outcome.kind === 'unknown') return unknownDevice(namespace, name);
  if (outcome.kind === 'unknown-property') return unknownProperty(`${namespace}/${name}`, property, outcome.known);
  if (outcome.kind === 'refused') return { status: 400, body: { reason: outcome.reason } };
  return { status: 200, body: outcome.twin };
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LARGEST_BODY) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
