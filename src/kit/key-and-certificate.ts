import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

/** Both as PEM. */
export interface KeyAndCertificate {
  readonly key: string;
  readonly certificate: string;
}

const RENEW_BEFORE_MS = 60 * 86_400_000;

/** True when the certificate is signed by this authority, names the host and lasts a while. */
export function isUsableFor(
  { certificate }: KeyAndCertificate,
  authority: KeyAndCertificate,
  host: string,
  now: Date,
): boolean {
  const own = new X509Certificate(certificate);
  const issuer = new X509Certificate(authority.certificate);
  const isNamed = (isIP(host) === 0 ? own.checkHost(host) : own.checkIP(host)) !== undefined;
  const isLasting = Date.parse(own.validTo) - now.getTime() > RENEW_BEFORE_MS;
  return isNamed && isLasting && own.verify(issuer.publicKey);
}
