// A NATS user that may do everything in a hub's account: for a program of the same owner that holds the stream against what was
// acknowledged. Whoever can read the data dir can make one.
import { systemClock } from '../kit/clock.ts';
import { silentLogger } from '../kit/logger.ts';
import { createKeyPair } from '../nats/nkeys.ts';
import type { NatsAccess } from '../wire/node-identity.ts';
import { Authority } from './authority/authority.ts';

/** @param hubDir the data dir of that hub */
export async function fullAccess(hubDir: string, url: string): Promise<NatsAccess> {
  const authority = await Authority.open(hubDir, { clock: systemClock, logger: silentLogger });
  const { publicKey, seed } = createKeyPair('user');
  return { url, jwt: authority.mintUser({ name: 'full-access', publicKey, permissions: 'all' }), seed };
}
