import { isIP } from 'node:net';

/**
 * Whether a request's Host is one that a page from elsewhere cannot have: loopback, an IP address, or the configured name. A name
 * of somebody else's that resolves to this machine (DNS rebinding) is how a browser would be made to ask for them.
 */
export function isTrustedHost(header: string | undefined, configured: string): boolean {
  if (header === undefined) return false;
  const host = header
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '')
    .toLowerCase();
  return host === 'localhost' || host === configured.toLowerCase() || isIP(host) !== 0;
}
