// The link of a node to NATS, with credentials from a file, or with those of a node that joined, which are renewed.
import { systemClock } from '../kit/clock.ts';
import type { Logger } from '../kit/logger.ts';
import type { Service } from '../kit/service.ts';
import { NatsLink } from '../nats/nats-link.ts';
import { inboxPrefix } from '../wire/nats-subjects.ts';
import type { EdgeConfig } from './edge-config.ts';
import { IdentityFiles } from './identity/identity-files.ts';
import { IdentityKeeper } from './identity/identity-keeper.ts';

export interface NodeLink {
  readonly link: NatsLink;
  readonly keepers: readonly Service[];
}

/** The link, and what renews the credentials of a node that joined. */
export function createLink({ dataDir, credentials, joined }: EdgeConfig, logger: Logger): NodeLink {
  const { node, nats, ca } = credentials;
  const names = { clientName: `skerry-edge-${node}`, inboxPrefix: inboxPrefix(node) };
  if (joined === undefined) {
    const link = new NatsLink({ credentials: () => nats, ca: () => ca, ...names }, { logger });
    return { link, keepers: [] };
  }
  const keeper: IdentityKeeper = new IdentityKeeper(joined, {
    files: new IdentityFiles(dataDir),
    onRenewed: () => void link.reconnect(),
    clock: systemClock,
    logger,
  });
  const link = new NatsLink({ credentials: () => keeper.nats, ca: () => keeper.ca, ...names }, { logger });
  link.onRefused(() => keeper.refused());
  return { link, keepers: [keeper] };
}
