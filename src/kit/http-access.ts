// Who may ask what over HTTP. Pure.
import { createHash, timingSafeEqual } from 'node:crypto';
import { isLoopback } from './loopback.ts';
import { isTrustedHost } from './trusted-host.ts';

/** `open`: everybody; the route checks what it needs by itself. `admin`: programs of this machine, and who shows the token. */
export type HttpAccess = 'open' | 'admin';

export type HttpVerdict = 'pass' | 'needs-tls' | 'untrusted-host' | 'unauthorized';

export interface HttpVisitor {
  readonly isTls: boolean;
  readonly remoteAddress: string;
  /** Header, as it came. */
  readonly host: string | undefined;
  /** Header, as it came. */
  readonly authorization: string | undefined;
}

/**
 * Plain HTTP is for this machine only, and for names that a page from elsewhere cannot have. Over TLS the certificate shows who
 * answers, so the name by which a visitor asks says nothing.
 */
export function mayEnter({ isTls, remoteAddress, host }: HttpVisitor, configuredHost: string): HttpVerdict {
  if (isTls) return 'pass';
  if (!isLoopback(remoteAddress)) return 'needs-tls';
  return isTrustedHost(host, configuredHost) ? 'pass' : 'untrusted-host';
}

/** For one who may enter. Where no token is known, nobody from elsewhere has it. */
export function mayAsk(access: HttpAccess, visitor: HttpVisitor, token: string | undefined): HttpVerdict {
  if (access === 'open' || isLoopback(visitor.remoteAddress)) return 'pass';
  return token !== undefined && token !== '' && isBearer(visitor.authorization, token) ? 'pass' : 'unauthorized';
}

/** Takes equally long for every wrong token. */
export function isBearer(authorization: string | undefined, token: string): boolean {
  const [, sent = ''] = /^bearer\s+(\S+)$/i.exec(authorization ?? '') ?? [];
  return timingSafeEqual(digest(sent), digest(token));
}

/** Digests are equally long, so the comparison tells nothing of the token's length either. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
