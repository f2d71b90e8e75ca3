// What a NATS server that somebody else runs is to be started with, so that it believes a hub.
import { systemClock } from '../kit/clock.ts';
import { silentLogger } from '../kit/logger.ts';
import { AccountClaims } from './nats-server/account-claims.ts';
import { externalConfigText, type ExternalShape } from './nats-server/external-config.ts';
import { authorityIn } from './nats-users.ts';

export type WantedServer = Omit<ExternalShape, 'operator'>;

/** The text of its configuration file. Rejects with AUTHORITY_MISSING. */
export async function natsConfigFor(dataDir: string, wanted: WantedServer): Promise<string> {
  const authority = await authorityIn(dataDir, systemClock);
  const tools = { authority: () => authority, serverUrl: () => '', logger: silentLogger };
  const operator = await new AccountClaims({ dataDir }, tools).operator();
  return externalConfigText({ ...wanted, operator });
}
