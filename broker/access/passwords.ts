// Passwords as they are kept: scrypt with a salt of each, in the PHC form `$scrypt$ln=14,r=8,p=1$salt$hash`.
import { randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto';

/** What one check costs: 16 MiB for its time, which an edge node has to spare once. */
const COST = { ln: 14, r: 8, p: 1 };
/** A file that asks for more would hold up everybody. */
const MOST = { ln: 17, r: 16, p: 4 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const FORM = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d)\$([A-Za-z0-9+/]{16,})\$([A-Za-z0-9+/]{43})$/;

export interface PasswordHash {
  /** As it stands in the file. */
  readonly text: string;
  readonly cost: typeof COST;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

export async function hashPassword(password: Uint8Array | string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, salt, COST);
  return `$scrypt$ln=${COST.ln},r=${COST.r},p=${COST.p}$${plain(salt)}$${plain(hash)}`;
}

export function parseHash(text: string): PasswordHash | undefined {
  const found = FORM.exec(text)?.slice(1);
  if (found === undefined) return undefined;
  const [ln, r, p, salt, hash] = found as [string, string, string, string, string];
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  if (!isBetween(cost.ln, MOST.ln) || !isBetween(cost.r, MOST.r) || !isBetween(cost.p, MOST.p)) return undefined;
  return { text, cost, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') };
}

export async function isPassword(password: Uint8Array, { salt, hash, cost }: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, salt, cost), hash);
}

/** Of nobody: whoever gives a name that does not exist waits as long as one who gives a wrong password. */
export const NOBODYS: PasswordHash = {
  text: '',
  cost: COST,
  salt: randomBytes(SALT_BYTES),
  hash: randomBytes(HASH_BYTES),
};

const isBetween = (value: number, most: number): boolean => value >= 1 && value <= most;

function derive(password: Uint8Array | string, salt: Buffer, { ln, r, p }: typeof COST): Promise<Buffer> {
  const N = 2 ** ln;
  const options: ScryptOptions = { N, r, p, maxmem: 256 * N * r };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, HASH_BYTES, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}

const plain = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '');
