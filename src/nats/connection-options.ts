// How the library is told where to connect and as whom. Pure.
import { jwtAuthenticator, type ConnectionOptions, type TlsOptions } from 'nats';
import type { NatsAccess } from '../wire/node-identity.ts';

/** @param ca PEM of the authority that a server at a `tls:` URL is checked against; those that the system trusts where it is absent */
export function connectionOptions(access: NatsAccess, ca: string | undefined): ConnectionOptions {
  return { ...proofOf(access), ...tlsOf(access.url, ca), servers: access.url };
}

function proofOf(access: NatsAccess): ConnectionOptions {
  if ('jwt' in access) return { authenticator: jwtAuthenticator(access.jwt, Buffer.from(access.seed)) };
  return { user: access.user, pass: access.password };
}

/** A server named `tls:` must speak TLS. */
function tlsOf(url: string, ca: string | undefined): ConnectionOptions {
  if (!url.startsWith('tls:')) return {};
  // Without a host, the library has an address (not a name) checked as if it were "localhost".
  const tls: TlsOptions & { readonly host: string } = {
    host: new URL(url).hostname.replace(/^\[|\]$/g, ''),
    ...(ca === undefined ? {} : { ca }),
  };
  return { tls };
}
