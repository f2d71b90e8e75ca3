// NATS key pairs (Ed25519): an operator's, an account's, a user's. The encoding is the library's; nothing here repeats a seed.
import { nkeys } from 'nats';

export type KeyKind = 'operator' | 'account' | 'user';

export interface NatsKeyPair {
  readonly kind: KeyKind;
  readonly publicKey: string;
  readonly seed: string;
  sign(bytes: Uint8Array): Uint8Array;
}

interface LibraryPair {
  getPublicKey(): string;
  getSeed(): Uint8Array;
  sign(bytes: Uint8Array): Uint8Array;
  verify(bytes: Uint8Array, signature: Uint8Array): boolean;
}

interface Library {
  createOperator(): LibraryPair;
  createAccount(): LibraryPair;
  createUser(): LibraryPair;
  fromSeed(seed: Uint8Array): LibraryPair;
  fromPublic(publicKey: string): LibraryPair;
}

/** Its types are not found where it is exported from. */
const library = nkeys as Library;
const MAKERS: Readonly<Record<KeyKind, () => LibraryPair>> = {
  operator: () => library.createOperator(),
  account: () => library.createAccount(),
  user: () => library.createUser(),
};
const PREFIXES: Readonly<Record<KeyKind, string>> = { operator: 'O', account: 'A', user: 'U' };
const KINDS: readonly KeyKind[] = ['operator', 'account', 'user'];

export function createKeyPair(kind: KeyKind): NatsKeyPair {
  return pairOf(MAKERS[kind](), kind);
}

/** Throws for what is no seed of a known kind; the error does not repeat it. */
export function keyPairFromSeed(seed: string): NatsKeyPair {
  const pair = readSeed(seed);
  const kind = KINDS.find((known) => pair?.getPublicKey().startsWith(PREFIXES[known]) === true);
  if (pair === undefined || kind === undefined) throw new Error('not the seed of a NATS key');
  return pairOf(pair, kind);
}

export function isPublicKey(text: string, kind: KeyKind): boolean {
  return text.startsWith(PREFIXES[kind]) && readPublic(text) !== undefined;
}

export function verifySignature(publicKey: string, bytes: Uint8Array, signature: Uint8Array): boolean {
  try {
    return readPublic(publicKey)?.verify(bytes, signature) === true;
  } catch {
    // A signature of another length.
    return false;
  }
}

function pairOf(pair: LibraryPair, kind: KeyKind): NatsKeyPair {
  const seed = Buffer.from(pair.getSeed()).toString('latin1');
  return { kind, publicKey: pair.getPublicKey(), seed, sign: (bytes) => pair.sign(bytes) };
}

function readSeed(seed: string): LibraryPair | undefined {
  try {
    return library.fromSeed(Buffer.from(seed));
  } catch {
    return undefined;
  }
}

function readPublic(publicKey: string): LibraryPair | undefined {
  try {
    return library.fromPublic(publicKey);
  } catch {
    return undefined;
  }
}
