// The form of every key in the store. Names and namespaces never hold a slash, so a slash may part them.

/** All objects of one kind, whatever the API version they are read in: `core/nodes`, `devices.kubeedge.io/devices`. */
export type Collection = string & { readonly form: 'collection' };

export interface Address {
  readonly collection: Collection;
  /** Empty for kinds that live outside namespaces. */
  readonly namespace: string;
  readonly name: string;
}

export interface KeyRange {
  readonly gte: string;
  readonly lt: string;
}

export interface LogKey {
  readonly revision: number;
  readonly bytes: number;
  readonly collection: Collection;
}

export const REVISION_KEY = 'm/revision';
export const FORMAT_KEY = 'm/format';
const DIGITS = 16;

export function collectionOf(group: string, plural: string): Collection {
  return `${group === '' ? 'core' : group}/${plural}` as Collection;
}

export function objectKey({ collection, namespace, name }: Address): string {
  return `o/${collection}/${namespace}/${name}`;
}

export function addressOfKey(key: string): Address {
  const [, group = '', plural = '', namespace = '', name = ''] = key.split('/');
  return { collection: `${group}/${plural}` as Collection, namespace, name };
}

/** All keys of a collection, or of one namespace of it. */
export function collectionRange(collection: Collection, namespace?: string): KeyRange {
  return rangeOf(namespace === undefined ? `o/${collection}/` : `o/${collection}/${namespace}/`);
}

/** A log key says which collection it touches and how large it is, so that neither needs the value read. */
export function logKey({ revision, bytes, collection }: LogKey): string {
  return `${logPrefix(revision)}/${bytes}/${collection}`;
}

export function logKeyOf(key: string): LogKey {
  const [, revision = '', bytes = '', group = '', plural = ''] = key.split('/');
  return { revision: Number(revision), bytes: Number(bytes), collection: `${group}/${plural}` as Collection };
}

/** Log keys with `after < revision <= through`. */
export function logRange(after: number, through: number): KeyRange {
  return { gte: logPrefix(after + 1), lt: logPrefix(through + 1) };
}

const logPrefix = (revision: number): string => `l/${String(revision).padStart(DIGITS, '0')}`;

/** `0` is the character after `/`. */
const rangeOf = (prefix: string): KeyRange => ({ gte: prefix, lt: `${prefix.slice(0, -1)}0` });
