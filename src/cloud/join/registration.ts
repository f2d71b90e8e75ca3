// Whose key a node name belongs to, and which keys are void. Pure.
import type { Duration } from '../../kit/units.ts';
import { asArray, asInteger, asObject, asString, type JsonObject } from '../../wire/json.ts';
import { joinErrors } from './errors.ts';

const STATES = ['joined', 'revoked', 'released'] as const;
export type RegistrationState = (typeof STATES)[number];

export interface RevokedKey {
  readonly publicKey: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** A name that some node has joined under. */
export interface Registration {
  readonly node: string;
  /** The newest that joined. */
  readonly publicKey: string;
  readonly state: RegistrationState;
  readonly since: number;
  /** Newest last; they are never taken again. */
  readonly revokedKeys: readonly RevokedKey[];
}

/** Each takes a person and a token to get here. */
const KEPT_KEYS = 100;

/**
 * The registration after that key has joined, or `undefined` when it had before. Throws NODE_REVOKED, JOIN_KEY_REVOKED or
 * JOIN_NAME_TAKEN.
 */
export function join(
  present: Registration | undefined,
  { node, publicKey }: { readonly node: string; readonly publicKey: string },
  now: number,
): Registration | undefined {
  if (present?.state === 'revoked') throw joinErrors.NODE_REVOKED({ node, revokedAt: present.since });
  if (present?.revokedKeys.some((key) => key.publicKey === publicKey) === true)
    throw joinErrors.JOIN_KEY_REVOKED({ node });
  if (present?.state === 'joined') {
    if (present.publicKey === publicKey) return undefined;
    throw joinErrors.JOIN_NAME_TAKEN({ node });
  }
  return { node, publicKey, state: 'joined', since: now, revokedKeys: present?.revokedKeys ?? [] };
}

/** Throws NODE_REVOKED or NODE_NOT_JOINED unless that key may have new credentials. */
export function checkRenewal(present: Registration | undefined, asked: Pick<Registration, 'node' | 'publicKey'>): void {
  const { node, publicKey } = asked;
  if (present?.publicKey !== publicKey || present.state === 'released') throw joinErrors.NODE_NOT_JOINED({ node });
  if (present.state === 'revoked') throw joinErrors.NODE_REVOKED({ node, revokedAt: present.since });
}

/** `undefined`: it is already. The name stays taken until it is released. */
export function revoke(present: Registration, now: number): Registration | undefined {
  return present.state === 'revoked' ? undefined : voided(present, 'revoked', now);
}

/** Lets the name be joined again; who holds it is cut off. `undefined`: it is free already. */
export function release(present: Registration, now: number): Registration | undefined {
  return present.state === 'released' ? undefined : voided(present, 'released', now);
}

function voided(present: Registration, state: RegistrationState, now: number): Registration {
  const { publicKey, revokedKeys } = present;
  const isKnown = revokedKeys.some((key) => key.publicKey === publicKey);
  const keys = isKnown ? revokedKeys : [...revokedKeys, { publicKey, at: now }];
  return { ...present, state, since: now, revokedKeys: keys.slice(-KEPT_KEYS) };
}

/**
 * What the NATS server must refuse: user key → seconds since the epoch, at or before which its JWTs are void. A key that was revoked
 * more than the longest life of a JWT ago has none left.
 */
export function revocationsOf(
  registrations: Iterable<Registration>,
  { now, longestLife }: { readonly now: number; readonly longestLife: Duration },
): ReadonlyMap<string, number> {
  const keys = [...registrations].flatMap(({ revokedKeys }) => revokedKeys).filter(({ at }) => now - at <= longestLife);
  return new Map(keys.map(({ publicKey, at }) => [publicKey, Math.ceil(at / 1000)]));
}

export function decodeRegistration(raw: JsonObject): Registration | undefined {
  const [node, publicKey, since] = [asString(raw['node']), asString(raw['publicKey']), asInteger(raw['since'])];
  const state = STATES.find((known) => known === raw['state']);
  if (node === undefined || publicKey === undefined || since === undefined || state === undefined) return undefined;
  const revokedKeys = (asArray(raw['revokedKeys']) ?? []).flatMap((value) => {
    const { publicKey: key, at } = asObject(value) ?? {};
    const [text, moment] = [asString(key), asInteger(at)];
    return text === undefined || moment === undefined ? [] : [{ publicKey: text, at: moment }];
  });
  return { node, publicKey, state, since, revokedKeys };
}
