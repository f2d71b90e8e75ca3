// The pin of a certificate authority: what of it a token carries, so that a node knows the hub which made the token before it knows
// anything else.
import { createHash, timingSafeEqual, X509Certificate } from 'node:crypto';

/** Base64url of the SHA-256 of the key's SubjectPublicKeyInfo: a certificate made anew with the same key keeps its pin. */
export function pinOf(certificate: string): string | undefined {
  try {
    const key = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
    return createHash('sha256').update(key).digest('base64url');
  } catch {
    // Not a certificate, or not one of a key that Node knows: whoever sent it is not the hub of any token.
    return undefined;
  }
}

export function isPinOf(pin: string, certificate: string): boolean {
  const found = pinOf(certificate);
  if (found?.length !== pin.length) return false;
  return timingSafeEqual(Buffer.from(found), Buffer.from(pin));
}
