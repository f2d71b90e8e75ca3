// `skerry edge --hub --token`: from the command line's words to an identity that is kept in the data dir.
import { hostname } from 'node:os';
import type { Clock } from '../kit/clock.ts';
import type { Logger } from '../kit/logger.ts';
import { parseJoinToken } from '../wire/join-messages.ts';
import { edgeErrors } from './edge-config.ts';
import { IdentityFiles, type Joined } from './identity/identity-files.ts';
import { identityErrors } from './identity/errors.ts';
import { join } from './identity/joiner.ts';

export interface JoinOrder {
  readonly dataDir: string;
  readonly hub: string;
  readonly token: string;
  /** Default: the one it joined as, and before that the host name. */
  readonly node: string | undefined;
}

/** The identity of a node that has joined; `undefined` where none has in that data dir. */
export function joinedIn(dataDir: string): Promise<Joined | undefined> {
  return new IdentityFiles(dataDir).joined();
}

/**
 * The identity that the token gave, or gives now. A token that was taken already is not asked with again, so that a service may be
 * started with the same command for ever; another one joins anew, with another key.
 */
export async function joinHub(
  { dataDir, hub, token: text, node: asked }: JoinOrder,
  tools: { readonly clock: Pick<Clock, 'now'>; readonly logger: Logger },
  signal: AbortSignal,
): Promise<Joined> {
  const token = parseJoinToken(text);
  if (token === undefined) throw identityErrors.JOIN_TOKEN_MALFORMED({});
  const files = new IdentityFiles(dataDir);
  const kept = await files.joined();
  const node = asked ?? kept?.node ?? hostname().toLowerCase();
  if (kept !== undefined && kept.node !== node)
    throw edgeErrors.EDGE_NODE_NAME_CHANGED({ dataDir, was: kept.node, is: node });
  if (kept?.tokenId === token.id) return kept;
  return join({ hub, node, token }, { files, ...tools }, signal);
}
