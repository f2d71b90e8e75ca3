// What a node says of itself: the claim on its key, and its heartbeat.
import { asInteger, asObject, asString, parseJson } from './json.ts';

/** Who holds a node's key: one store, in one of its starts. */
export interface Claim {
  readonly storeId: string;
  readonly incarnation: string;
  /** Grows with every claim, also in a bucket that was lost and begins its revisions again. */
  readonly term?: number;
}

export function encodeClaim(claim: Claim): Uint8Array {
  return Buffer.from(JSON.stringify(claim));
}

export function decodeClaim(payload: Uint8Array): Claim | undefined {
  const raw = asObject(parseJson(payload)) ?? {};
  const storeId = asString(raw['storeId']);
  const incarnation = asString(raw['incarnation']);
  const term = asInteger(raw['term']);
  if (storeId === undefined || incarnation === undefined) return undefined;
  return { storeId, incarnation, ...(term === undefined ? {} : { term }) };
}

/** "This edge is alive", every few seconds, with what the Node object shows. */
export interface Heartbeat {
  readonly node: string;
  readonly version: string;
  readonly os: string;
  readonly architecture: string;
  readonly kernel: string;
  readonly hostname: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Generation of the desired index that the node has applied; 0 before the first. */
  readonly indexGeneration: number;
  /** Facts waiting for the stream. */
  readonly backlog: number;
}

export function encodeHeartbeat(heartbeat: Heartbeat): Uint8Array {
  return Buffer.from(JSON.stringify(heartbeat));
}

export function decodeHeartbeat(payload: Uint8Array): Heartbeat | undefined {
  const raw = asObject(parseJson(payload)) ?? {};
  const node = asString(raw['node']);
  if (node === undefined) return undefined;
  const text = (field: string): string => asString(raw[field]) ?? '';
  const count = (field: string): number => asInteger(raw[field]) ?? 0;
  return {
    node,
    version: text('version'),
    os: text('os'),
    architecture: text('architecture'),
    kernel: text('kernel'),
    hostname: text('hostname'),
    cpus: count('cpus'),
    memoryBytes: count('memoryBytes'),
    indexGeneration: count('indexGeneration'),
    backlog: count('backlog'),
  };
}
