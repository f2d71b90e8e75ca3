// How nodes of other machines get into a hub: the routes at which they ask, and its authority shown where tokens are made.
import { systemClock } from '../kit/clock.ts';
import { isLoopback } from '../kit/loopback.ts';
import type { Logger } from '../kit/logger.ts';
import type { Service } from '../kit/service.ts';
import { isPublicKey, verifySignature } from '../nats/nkeys.ts';
import { nodePermissions } from '../wire/nats-subjects.ts';
import type { HttpRoute } from './admin/http-route.ts';
import { NODE_LIMITS } from './admission/node-admission.ts';
import type { Authority } from './authority/authority.ts';
import type { HubConfig } from './hub-config.ts';
import type { HubNatsParts } from './hub-nats.ts';
import { joinErrors } from './join/errors.ts';
import { JoinRecords } from './join/join-records.ts';
import { JoinRoutes } from './join/join-routes.ts';
import { NodeDoor } from './join/node-door.ts';
import { ShownAuthority } from './join/shown-authority.ts';
import type { KubeClient } from './kubernetes/kube-client.ts';

export interface HubJoining {
  readonly routes: readonly HttpRoute[];
  /** How often nodes were refused, by code. */
  readonly refusals: () => ReadonlyMap<string, number>;
  readonly services: readonly Service[];
}

interface Tools {
  /** After its start. */
  readonly authority: () => Authority;
  readonly nats: Pick<HubNatsParts, 'url' | 'isAdmitted'>;
  readonly client: KubeClient;
  readonly logger: Logger;
}

/** Where somebody made the NATS users by hand, nobody joins. */
export function createHubJoining(config: HubConfig, tools: Tools): HubJoining {
  if (config.nats.kind === 'external') return { routes: [], refusals: () => new Map(), services: [] };
  const { authority, nats, client, logger } = tools;
  const records = new JoinRecords({ client });
  const ca = (): string => authority().caCertificate;
  const door = new NodeDoor({
    records,
    mint: (name, publicKey, expiresAt) =>
      authority().mintUser({ name, publicKey, permissions: nodePermissions(name), limits: NODE_LIMITS, expiresAt }),
    ...(config.jwtLife === undefined ? {} : { jwtLife: config.jwtLife }),
    ca,
    natsUrl: (localHost) => natsUrlFor(localHost, config, nats.url()),
    isLocalNode: nats.isAdmitted,
    isUserKey: (publicKey) => isPublicKey(publicKey, 'user'),
    verify: verifySignature,
    clock: systemClock,
    logger,
  });
  const routes = new JoinRoutes({ door, ca, clock: systemClock, logger });
  const shown = new ShownAuthority({ records, ca, logger });
  return { routes: routes.routes, refusals: () => routes.refusals, services: [shown] };
}

/** A server of the hub's own is where the hub is: under the name by which the node found it. Throws JOIN_NATS_HIDDEN. */
export function natsUrlFor(localHost: string, { nats }: Pick<HubConfig, 'nats'>, url: string): string {
  if (nats.kind !== 'managed') return url;
  if (isLoopback(nats.host)) {
    if (!isLoopback(localHost)) throw joinErrors.JOIN_NATS_HIDDEN({ host: nats.host });
    return url;
  }
  const { protocol, port } = new URL(url);
  return `${protocol}//${localHost.includes(':') ? `[${localHost}]` : localHost}:${port}`;
}
