// JWTs as a nats-server in operator mode reads them: claims signed by the key of whoever vouches. Pure, but for the time passed in.
import { createHash } from 'node:crypto';
import { asInteger, asObject, asString, parseJson, type JsonObject } from '../wire/json.ts';
import type { NatsKeyPair } from './nkeys.ts';

export interface Claims {
  readonly subject: string;
  readonly name: string;
  readonly issuedAt: number;
  readonly expiresAt?: number;
  readonly nats: JsonObject;
}

const HEADER = part({ typ: 'JWT', alg: 'ed25519-nkey' });

export function encodeJwt(issuer: Pick<NatsKeyPair, 'publicKey' | 'sign'>, claims: Claims): string {
  const { subject, name, issuedAt, expiresAt, nats } = claims;
  const body = {
    iat: toSeconds(issuedAt),
    iss: issuer.publicKey,
    name,
    sub: subject,
    ...(expiresAt === undefined ? {} : { exp: toSeconds(expiresAt) }),
    nats: { version: 2, ...nats },
  };
  const jti = createHash('sha256').update(JSON.stringify(body)).digest('base64url');
  const signed = `${HEADER}.${part({ jti, ...body })}`;
  return `${signed}.${Buffer.from(issuer.sign(Buffer.from(signed))).toString('base64url')}`;
}

/** What a JWT says; nothing is verified. */
export function claimsOf(jwt: string): Claims | undefined {
  const body = asObject(parseJson(Buffer.from(jwt.split('.')[1] ?? '', 'base64url')));
  const life = lifeOf(jwt);
  const [subject, nats] = [asString(body?.['sub']), asObject(body?.['nats'])];
  if (life === undefined || subject === undefined || nats === undefined) return undefined;
  const { issuedAt, expiresAt } = life;
  return {
    subject,
    name: asString(body?.['name']) ?? '',
    issuedAt,
    nats,
    ...(expiresAt !== undefined && { expiresAt }),
  };
}

/** When a JWT was issued and when it ends, in milliseconds; nothing is verified. */
export function lifeOf(jwt: string): { readonly issuedAt: number; readonly expiresAt: number | undefined } | undefined {
  const body = asObject(parseJson(Buffer.from(jwt.split('.')[1] ?? '', 'base64url')));
  const issued = asInteger(body?.['iat']);
  const expires = asInteger(body?.['exp']);
  if (issued === undefined) return undefined;
  return { issuedAt: issued * 1000, expiresAt: expires === undefined ? undefined : expires * 1000 };
}

const toSeconds = (milliseconds: number): number => Math.floor(milliseconds / 1000);

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
