// What a node says of itself: the claim on its key, and its heartbeat.
import { afterOf, type Start } from '../model/lineage.ts';
import { asArray, asInteger, asObject, asString, parseJson } from './json.ts';

/** Who holds a node's key: one store, in one of its starts. */
export interface Claim {
  readonly storeId: string;
  readonly incarnation: string;
  /** Grows with every claim, also in a bucket that was lost and begins its revisions again. */
  readonly term: number;
  /** The holder's newest starts, and those that it knows of others: for copies of its disk to know what they share. */
  readonly starts: readonly Start[];
}

/** What the hub puts where nobody has claimed yet: no claim, but the term that the next one must exceed. */
export const claimFloor = (term: number): Claim => ({ storeId: '', incarnation: '', term, starts: [] });

export const isFloor = (claim: Claim): boolean => claim.storeId === '';

export function encodeClaim(claim: Claim): Uint8Array {
  return Buffer.from(JSON.stringify(claim));
}

export function decodeClaim(payload: Uint8Array): Claim | undefined {
  const raw = asObject(parseJson(payload)) ?? {};
  const storeId = asString(raw['storeId']);
  const incarnation = asString(raw['incarnation']);
  const term = asInteger(raw['term']);
  if (storeId === undefined || incarnation === undefined || term === undefined) return undefined;
  return { storeId, incarnation, term, starts: (asArray(raw['starts']) ?? []).flatMap((start) => decodeStart(start)) };
}

function decodeStart(raw: unknown): readonly Start[] {
  const { incarnation, after, from } = asObject(raw) ?? {};
  const name = asString(incarnation);
  const count = asInteger(from);
  return name === undefined || count === undefined
    ? []
    : [{ incarnation: name, ...afterOf(asString(after)), from: count }];
}

/** Why a node that is alive does not do its work, for a person to act on. */
export interface NodeProblem {
  /** Of the error, as the reference lists it. */
  readonly code: string;
  readonly message: string;
}

/** "This edge is alive", every few seconds, with what the Node object shows. */
export interface Heartbeat {
  readonly node: string;
  /** The start of the store that speaks: several may, under one name. */
  readonly incarnation: string;
  readonly version: string;
  readonly os: string;
  readonly architecture: string;
  readonly kernel: string;
  readonly hostname: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Generation of the desired index that the node has applied; 0 before the first. */
  readonly indexGeneration: number;
  /** The bucket has lost words that the node holds: it waits for an index of a generation above this one. */
  readonly indexAbove?: number;
  /** Facts waiting for the stream. */
  readonly backlog: number;
  readonly problem?: NodeProblem;
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
  const indexAbove = asInteger(raw['indexAbove']);
  return {
    node,
    incarnation: text('incarnation'),
    version: text('version'),
    os: text('os'),
    architecture: text('architecture'),
    kernel: text('kernel'),
    hostname: text('hostname'),
    cpus: count('cpus'),
    memoryBytes: count('memoryBytes'),
    indexGeneration: count('indexGeneration'),
    backlog: count('backlog'),
    ...(indexAbove === undefined ? {} : { indexAbove }),
    ...decodeProblem(raw['problem']),
  };
}

function decodeProblem(raw: unknown): { readonly problem?: NodeProblem } {
  const problem = asObject(raw) ?? {};
  const [code, message] = [asString(problem['code']), asString(problem['message'])];
  return code === undefined || message === undefined ? {} : { problem: { code, message } };
}
