// What a node and a hub say to each other over HTTPS: joining with a token, and renewing with the node's own key. Pure.
import { asInteger, asObject, asString, parseJson, type JsonObject } from './json.ts';

export const JOIN_PATHS = {
  /** GET: the PEM of the hub's authority. Asked before anything is known of the hub; the pin tells whether it is the right one. */
  ca: '/v1/ca',
  join: '/v1/join',
  challenge: '/v1/renew/challenge',
  renew: '/v1/renew',
} as const;

/** What a person carries from the hub to the node. The pin stays there: the hub never sees it again. */
export interface JoinToken {
  readonly id: string;
  readonly secret: string;
  /** Base64url SHA-256 of the key of the hub's authority. */
  readonly pin: string;
}

export interface JoinRequest {
  readonly node: string;
  /** `id.secret`. */
  readonly token: string;
  /** Of the key pair that was made on the node, and whose seed never leaves it. */
  readonly publicKey: string;
  /** What the clock of the node shows, in milliseconds since the epoch. */
  readonly time: number;
}

export interface ChallengeRequest {
  readonly node: string;
  readonly publicKey: string;
}

export interface Challenge {
  readonly challenge: string;
}

export interface RenewRequest extends ChallengeRequest {
  readonly challenge: string;
  /** Base64url, of `signedOfRenewal(request)`, by the key that `publicKey` is of. */
  readonly signature: string;
}

/** The answer to joining and to renewing. */
export interface JoinGrant {
  readonly node: string;
  readonly jwt: string;
  /** Milliseconds since the epoch, by the clock of the hub. */
  readonly expiresAt: number;
  readonly nats: { readonly url: string };
  /** PEM. */
  readonly ca: string;
  /** What the clock of the hub shows, in milliseconds since the epoch. */
  readonly time: number;
}

export interface JoinRefusal {
  readonly error: string;
  readonly message: string;
  readonly time: number;
}

const TOKEN_PART = /^[A-Za-z0-9_-]+$/;
/** No field of a message is longer; a CA certificate alone may be. */
const LONGEST = 4096;
const LONGEST_TOKEN = 512;

/** `undefined` for what is no token: a part is missing, or was cut or doubled when it was copied. */
export function parseJoinToken(text: string): JoinToken | undefined {
  const [id, secret, pin, ...more] = text.length > LONGEST_TOKEN ? [] : text.trim().split('.');
  if (id === undefined || secret === undefined || pin === undefined || more.length > 0) return undefined;
  return [id, secret, pin].every((part) => TOKEN_PART.test(part)) ? { id, secret, pin } : undefined;
}

export const joinTokenText = ({ id, secret, pin }: JoinToken): string => `${id}.${secret}.${pin}`;

/** The part of a token that is sent. */
export const sentOfToken = ({ id, secret }: JoinToken): string => `${id}.${secret}`;

export function parseSentToken(text: string): Omit<JoinToken, 'pin'> | undefined {
  const [id, secret, ...more] = text.length > LONGEST_TOKEN ? [] : text.split('.');
  if (id === undefined || secret === undefined || more.length > 0) return undefined;
  return TOKEN_PART.test(id) && TOKEN_PART.test(secret) ? { id, secret } : undefined;
}

/** What the key of a node signs to renew: for this purpose, this node and this challenge, and of use for nothing else. */
export function signedOfRenewal({ node, publicKey, challenge }: Omit<RenewRequest, 'signature'>): Uint8Array {
  return Buffer.from(`skerry renew v1\n${node}\n${publicKey}\n${challenge}\n`);
}

/** The decoders take what a parsed body holds, and give `undefined` for what is not of the form. */
export function decodeJoinRequest(body: unknown): JoinRequest | undefined {
  const raw = asObject(body) ?? {};
  const [node, token, publicKey] = [text(raw, 'node'), text(raw, 'token'), text(raw, 'publicKey')];
  const time = asInteger(raw['time']);
  if (node === undefined || token === undefined || publicKey === undefined || time === undefined) return undefined;
  return { node, token, publicKey, time };
}

export function decodeChallengeRequest(body: unknown): ChallengeRequest | undefined {
  const raw = asObject(body) ?? {};
  const [node, publicKey] = [text(raw, 'node'), text(raw, 'publicKey')];
  return node === undefined || publicKey === undefined ? undefined : { node, publicKey };
}

export function decodeRenewRequest(body: unknown): RenewRequest | undefined {
  const raw = asObject(body) ?? {};
  const asked = decodeChallengeRequest(raw);
  const [challenge, signature] = [text(raw, 'challenge'), text(raw, 'signature')];
  if (asked === undefined || challenge === undefined || signature === undefined) return undefined;
  return { ...asked, challenge, signature };
}

export function decodeChallenge(payload: Uint8Array | string): Challenge | undefined {
  const challenge = text(asObject(parseJson(payload)) ?? {}, 'challenge');
  return challenge === undefined ? undefined : { challenge };
}

export function decodeJoinGrant(payload: Uint8Array | string): JoinGrant | undefined {
  const raw = asObject(parseJson(payload)) ?? {};
  const [node, jwt, ca] = [text(raw, 'node'), asString(raw['jwt']), asString(raw['ca'])];
  const [expiresAt, time] = [asInteger(raw['expiresAt']), asInteger(raw['time'])];
  const url = text(asObject(raw['nats']) ?? {}, 'url');
  if (node === undefined || jwt === undefined || ca === undefined || url === undefined) return undefined;
  return expiresAt === undefined || time === undefined ? undefined : { node, jwt, expiresAt, nats: { url }, ca, time };
}

export function decodeJoinRefusal(payload: Uint8Array | string): JoinRefusal | undefined {
  const raw = asObject(parseJson(payload)) ?? {};
  const [error, message] = [text(raw, 'error'), text(raw, 'message')];
  const time = asInteger(raw['time']);
  return error === undefined || message === undefined || time === undefined ? undefined : { error, message, time };
}

function text(raw: JsonObject, field: string): string | undefined {
  const value = asString(raw[field]);
  return value === undefined || value === '' || value.length > LONGEST ? undefined : value;
}
