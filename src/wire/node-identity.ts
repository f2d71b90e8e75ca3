// What a node holds to reach the cloud: the file that `--credentials` names, and what a node that has joined keeps for itself. Pure.
import { asObject, asString, parseJson, type JsonObject } from './json.ts';

/** How a NATS user shows who it is: a JWT and the seed of its key, or a password where somebody made the user by hand. */
export type NatsProof =
  { readonly jwt: string; readonly seed: string } | { readonly user: string; readonly password: string };

export type NatsAccess = { readonly url: string } & NatsProof;

export interface NodeIdentity {
  readonly node: string;
  /** HTTPS URL of the hub, which renews the JWT. */
  readonly hub?: string;
  /** PEM of the authority that hub and NATS server are checked against. */
  readonly ca?: string;
  readonly nats: NatsAccess;
}

/** The identity, or what is wrong with the text, as the end of a sentence that begins with the name of its file. Repeats no secret. */
export function decodeNodeIdentity(text: string): NodeIdentity | { readonly problem: string } {
  const raw = asObject(parseJson(text));
  if (raw === undefined) return { problem: 'is not a JSON object' };
  const nats = asObject(raw['nats']) ?? {};
  const node = filled(raw, 'node');
  const url = filled(nats, 'url');
  const proof = proofIn(nats);
  if (node === undefined) return { problem: 'lacks the field "node"' };
  if (url === undefined) return { problem: 'lacks the field "nats.url"' };
  if ('missing' in proof) return { problem: `lacks the field "nats.${proof.missing}"` };
  return { node, ...optional(raw, 'hub'), ...optional(raw, 'ca'), nats: { url, ...proof } };
}

export function encodeNodeIdentity(identity: NodeIdentity): string {
  return `${JSON.stringify(identity, undefined, 2)}\n`;
}

/** A file with neither is one that lacks a JWT. */
function proofIn(nats: JsonObject): NatsProof | { readonly missing: string } {
  const [user, password] = [filled(nats, 'user'), filled(nats, 'password')];
  const [jwt, seed] = [filled(nats, 'jwt'), filled(nats, 'seed')];
  if (jwt !== undefined) return seed === undefined ? { missing: 'seed' } : { jwt, seed };
  if (user !== undefined) return password === undefined ? { missing: 'password' } : { user, password };
  return { missing: seed === undefined && password !== undefined ? 'user' : 'jwt' };
}

function filled(object: JsonObject, field: string): string | undefined {
  const value = asString(object[field]);
  return value === '' ? undefined : value;
}

function optional<Field extends 'hub' | 'ca'>(
  object: JsonObject,
  field: Field,
): { readonly [field in Field]?: string } {
  const value = filled(object, field);
  return (value === undefined ? {} : { [field]: value }) as { readonly [field in Field]?: string };
}
