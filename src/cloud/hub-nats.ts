// The NATS side of a hub: a server of its own, one of somebody else's that believes our operator, or one whose users somebody made.
import type { Logger } from '../kit/logger.ts';
import type { Service } from '../kit/service.ts';
import { NatsLink } from '../nats/nats-link.ts';
import { HUB_INBOX, HUB_PERMISSIONS } from '../wire/nats-subjects.ts';
import { admissionErrors } from './admission/errors.ts';
import { NodeAdmission } from './admission/node-admission.ts';
import { Viewer } from './admission/viewer.ts';
import type { Authority } from './authority/authority.ts';
import type { HubConfig, HubNats } from './hub-config.ts';
import { AccountClaims } from './nats-server/account-claims.ts';
import { lasting } from './nats-server/lasting-user.ts';
import { ManagedNatsServer } from './nats-server/managed-nats-server.ts';
import { RefusalWatch } from './nats-server/refusal-watch.ts';

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
  /**
   * These user keys (with the second: JWTs issued at or before it) are void from now on, and no others; who is connected is cut off.
   * Rejects with NATS_UNAVAILABLE while the server is away: it is told when it is back.
   */
  readonly revokeUsers: (revocations: ReadonlyMap<string, number>) => Promise<void>;
  /** Which node of this machine holds that key. */
  readonly nodeOf: (publicKey: string) => string | undefined;
  /** How often a server of the hub's own refused somebody, by reason. */
  readonly refusals: () => Readonly<Record<string, number>>;
}

interface Tools {
  /** Which node has joined with that key. */
  readonly nodeOf: (publicKey: string) => string | undefined;
  /** After its start, which comes before that of the services here. */
  readonly authority: () => Authority;
  readonly logger: Logger;
}

const CLIENT = { clientName: 'skerry-hub', inboxPrefix: HUB_INBOX };

export function createHubNats(config: HubConfig, tools: Tools): HubNatsParts {
  switch (config.nats.kind) {
    case 'managed':
      return managed(config, config.nats, tools);
    case 'operator':
      return underOurOperator(config, elsewhere(config, config.nats.url, tools), tools);
    case 'external':
      return external(config, config.nats, tools);
  }
}

/** A server that believes our operator. */
interface OurServer {
  readonly claims: AccountClaims;
  /** What is needed before anybody connects. */
  readonly services: readonly Service[];
  readonly url: () => string;
  readonly pid: () => number | undefined;
  readonly refusals: HubNatsParts['refusals'];
}

function managed({ dataDir, ...config }: HubConfig, nats: HubNats & { kind: 'managed' }, tools: Tools): HubNatsParts {
  const claims: AccountClaims = new AccountClaims({ dataDir }, { ...tools, serverUrl: () => server.url });
  const server = new ManagedNatsServer(
    { dataDir, ...nats },
    {
      ...tools,
      operator: () => claims.operator(),
      certificate: (hosts) => tools.authority().issueCertificate({ hosts, commonName: 'skerry-nats' }),
    },
  );
  const nodeOf = (key: string): string | undefined => parts.nodeOf(key) ?? tools.nodeOf(key);
  const watch = new RefusalWatch({ logFile: server.logFile }, { nodeOf, logger: tools.logger });
  const services = [watch, server];
  const ours = { claims, services, url: () => server.url, pid: () => server.pid, refusals: () => watch.counts };
  const parts: HubNatsParts = underOurOperator({ dataDir, ...config }, ours, tools);
  return parts;
}

function elsewhere({ dataDir }: HubConfig, url: string, tools: Tools): OurServer {
  const claims = new AccountClaims({ dataDir }, { ...tools, serverUrl: () => url });
  return { claims, services: [], url: () => url, pid: () => undefined, refusals: () => ({}) };
}

function underOurOperator({ dataDir, localNodes }: HubConfig, ours: OurServer, tools: Tools): HubNatsParts {
  const { claims, url, pid } = ours;
  const vouching = { ...tools, serverUrl: url };
  const admission = new NodeAdmission(
    { dataDir, localNodes },
    { ...vouching, revocations: () => claims.revocations() },
  );
  const proof = lasting((publicKey) =>
    tools.authority().mintUser({ name: 'hub', publicKey, permissions: HUB_PERMISSIONS }),
  );
  return {
    link: new NatsLink(
      { ...CLIENT, credentials: () => ({ url: url(), ...proof() }), ca: () => tools.authority().caCertificate },
      tools,
    ),
    services: [...ours.services, claims, admission, new Viewer({ dataDir }, vouching)],
    url,
    pid,
    isAdmitted: (node) => admission.isAdmitted(node),
    nodeOf: (publicKey) => admission.nodeOf(publicKey),
    admitted: () => admission.admitted,
    admitLocalNode: (node) => admission.admitLocalNode(node),
    revokeUsers: (revocations) => claims.revokeUsers(revocations),
    refusals: ours.refusals,
  };
}

function external(
  { localNodes }: HubConfig,
  { url, user, password }: HubNats & { kind: 'external' },
  { logger }: Tools,
): HubNatsParts {
  const [unwanted] = localNodes;
  if (unwanted !== undefined) throw admissionErrors.ADMISSION_NEEDS_MANAGED_NATS({ node: unwanted });
  return {
    link: new NatsLink({ ...CLIENT, credentials: () => ({ url, user, password }) }, { logger }),
    services: [],
    url: () => url,
    pid: () => undefined,
    isAdmitted: () => true,
    nodeOf: () => undefined,
    admitted: () => [],
    admitLocalNode: (node) => Promise.reject(admissionErrors.ADMISSION_NEEDS_MANAGED_NATS({ node })),
    revokeUsers: () => Promise.reject(admissionErrors.REVOCATION_NEEDS_OUR_NATS({})),
    refusals: () => ({}),
  };
}
