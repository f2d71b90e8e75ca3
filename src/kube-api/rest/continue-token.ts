// Where the next page of a list starts. The first page's revision travels along: every page of one list names it, so that a
// watch from there sees what changed while the client was turning pages.
import { badRequest } from '../status.ts';
import { isObject, textOf } from '../json.ts';
import type { Address, Collection } from '../storage/store-keys.ts';

export interface ContinueToken {
  readonly revision: number;
  readonly after: Address;
}

export function encodeToken({ revision, after }: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: 1, rv: revision, ns: after.namespace, name: after.name })).toString(
    'base64url',
  );
}

export function decodeToken(text: string, collection: Collection): ContinueToken {
  const token = parsed(text);
  if (!isObject(token) || token['v'] !== 1 || typeof token['rv'] !== 'number') {
    throw badRequest('continue key is not valid: it did not come from this server');
  }
  return { revision: token['rv'], after: { collection, namespace: textOf(token['ns']), name: textOf(token['name']) } };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return undefined; // reported by the caller
  }
}
