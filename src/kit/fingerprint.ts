import { createHash } from 'node:crypto';

/** 96 bits in base64url. */
const LENGTH = 16;

/** The same for the same bytes, and for practical purposes never for others. */
export function fingerprintOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url').slice(0, LENGTH);
}
