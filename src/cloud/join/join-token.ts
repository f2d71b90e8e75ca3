// Which token lets which node join. The secret of a token is kept as a hash only. Pure.
import { createHash, timingSafeEqual } from 'node:crypto';
import { asArray, asInteger, asObject, asString, type JsonObject } from '../../wire/json.ts';
import { joinErrors } from './errors.ts';

export interface Redemption {
  readonly node: string;
  readonly publicKey: string;
  readonly at: number;
}

export interface TokenRecord {
  readonly id: string;
  /** Base64url SHA-256 of the secret. */
  readonly secretHash: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** How many nodes it lets join in all. */
  readonly uses: number;
  /** Node names that it is for, with `*` for anything; absent: all. */
  readonly nodePattern?: string;
  readonly redeemed: readonly Redemption[];
}

export interface Presented {
  readonly secret: string;
  readonly node: string;
  readonly publicKey: string;
}

const HASH_LENGTH = 43;

export const hashOfSecret = (secret: string): string => createHash('sha256').update(secret).digest('base64url');

export const usesLeft = ({ uses, redeemed }: TokenRecord): number => Math.max(0, uses - redeemed.length);

/**
 * The token after that node has joined with it, or `undefined` when it had before with the same key: an answer that was lost costs
 * nothing. Throws JOIN_TOKEN_UNKNOWN, and only to who has the secret JOIN_TOKEN_NODE, JOIN_TOKEN_EXPIRED or JOIN_TOKEN_USED_UP.
 */
export function redeem(token: TokenRecord | undefined, presented: Presented, now: number): TokenRecord | undefined {
  // Compared also where there is no token, so that the time of an answer tells nothing.
  const isRight = isSecretOf(token?.secretHash ?? hashOfSecret(''), presented.secret);
  if (token === undefined || !isRight) throw joinErrors.JOIN_TOKEN_UNKNOWN({});
  const { node, publicKey } = presented;
  if (token.redeemed.some((each) => each.node === node && each.publicKey === publicKey)) return undefined;
  if (token.nodePattern !== undefined && !matches(token.nodePattern, node))
    throw joinErrors.JOIN_TOKEN_NODE({ node, pattern: token.nodePattern });
  if (now >= token.expiresAt) throw joinErrors.JOIN_TOKEN_EXPIRED({ expiredAt: token.expiresAt });
  if (usesLeft(token) === 0) throw joinErrors.JOIN_TOKEN_USED_UP({ uses: token.uses });
  return { ...token, redeemed: [...token.redeemed, { node, publicKey, at: now }] };
}

function isSecretOf(hash: string, secret: string): boolean {
  const [kept, given] = [Buffer.from(hash, 'base64url'), Buffer.from(hashOfSecret(secret), 'base64url')];
  return kept.length === given.length && timingSafeEqual(kept, given);
}

/** `*` stands for anything, also nothing. Takes no longer than the name is long, whatever the pattern. */
export function matches(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return name === pattern;
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false;
  let from = first.length;
  const end = name.length - last.length;
  for (const part of rest) {
    const found = name.indexOf(part, from);
    if (found < 0 || found + part.length > end) return false;
    from = found + part.length;
  }
  return true;
}

export function decodeToken(raw: JsonObject): TokenRecord | undefined {
  const [id, secretHash, nodePattern] = [
    asString(raw['id']),
    asString(raw['secretHash']),
    asString(raw['nodePattern']),
  ];
  const [createdAt, expiresAt, uses] = ['createdAt', 'expiresAt', 'uses'].map((field) => asInteger(raw[field]));
  if (id === undefined || secretHash?.length !== HASH_LENGTH) return undefined;
  if (createdAt === undefined || expiresAt === undefined || uses === undefined) return undefined;
  const redeemed = (asArray(raw['redeemed']) ?? []).map(decodeRedemption);
  // A token of which it is not known who joined with it lets nobody join.
  if (!redeemed.every((each) => each !== undefined)) return undefined;
  return {
    id,
    secretHash,
    createdAt,
    expiresAt,
    uses,
    redeemed,
    ...(nodePattern === undefined ? {} : { nodePattern }),
  };
}

function decodeRedemption(value: unknown): Redemption | undefined {
  const raw = asObject(value) ?? {};
  const [node, publicKey, at] = [asString(raw['node']), asString(raw['publicKey']), asInteger(raw['at'])];
  return node === undefined || publicKey === undefined || at === undefined ? undefined : { node, publicKey, at };
}
