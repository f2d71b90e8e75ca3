// The NATS side of a hub: a server of its own and the nodes admitted to it, or a server that somebody else runs.
import type { Logger } from '../kit/logger.ts';
import type { Service } from '../kit/service.ts';
import { NatsLink } from '../nats/nats-link.ts';
import { admissionErrors } from './admission/errors.ts';
import { NodeAdmission } from './admission/node-admission.ts';
import { Viewer } from './admission/viewer.ts';
import type { HubConfig, HubNats } from './hub-config.ts';
import { ManagedNatsServer } from './nats-server/managed-nats-server.ts';

export interface HubNatsParts {
  readonly link: NatsLink;
  /** What runs before the link, in order. */
  readonly services: readonly Service[];
  readonly url: () => string;
  readonly pid: () => number | undefined;
  /** With a server of somebody else's, whoever it lets publish as a node is one. */
  readonly isAdmitted: (node: string) => boolean;
  /** Nodes that may connect, as far as they are known before they do. */
  readonly admitted: () => Iterable<string>;
  readonly admitLocalNode: (node: string) => Promise<string>;
}

const CLIENT = { clientName: 'skerry-hub', inboxPrefix: '_INBOX__hub' };

export function createHubNats(config: HubConfig, tools: { readonly logger: Logger }): HubNatsParts {
  return config.nats.kind === 'managed' ? managed(config, config.nats, tools) : external(config, config.nats, tools);
}

function managed(
  { dataDir, localNodes }: HubConfig,
  nats: HubNats & { kind: 'managed' },
  { logger }: { readonly logger: Logger },
): HubNatsParts {
  const admission: NodeAdmission = new NodeAdmission({ dataDir, localNodes }, { logger, server: () => server });
  const server: ManagedNatsServer = new ManagedNatsServer(
    { dataDir, ...nats },
    { logger, nodeUsers: async () => [...(await admission.users()), await viewer.user()] },
  );
  const viewer = new Viewer({ dataDir }, { serverUrl: () => server.url });
  const link = new NatsLink(
    {
      ...CLIENT,
      // Known once the server runs, which is before the link starts.
      credentials: () => ({ url: server.url, ...server.credentials }),
    },
    { logger },
  );
  return {
    link,
    services: [server, admission, viewer],
    url: () => server.url,
    pid: () => server.pid,
    isAdmitted: (node) => admission.isAdmitted(node),
    admitted: () => admission.admitted,
    admitLocalNode: (node) => admission.admitLocalNode(node),
  };
}

function external(
  { localNodes }: HubConfig,
  { url, user, password }: HubNats & { kind: 'external' },
  { logger }: { readonly logger: Logger },
): HubNatsParts {
  const [unwanted] = localNodes;
  if (unwanted !== undefined) throw admissionErrors.ADMISSION_NEEDS_MANAGED_NATS({ node: unwanted });
  return {
    link: new NatsLink({ ...CLIENT, credentials: () => ({ url, user, password }) }, { logger }),
    services: [],
    url: () => url,
    pid: () => undefined,
    isAdmitted: () => true,
    admitted: () => [],
    admitLocalNode: (node) => Promise.reject(admissionErrors.ADMISSION_NEEDS_MANAGED_NATS({ node })),
  };
}
