// The hub: everything that stands between Kubernetes and NATS, in the order in which it starts. It stops in reverse: reports are
// no longer taken, status writes under way finish, their messages are acknowledged, the link drains, the server ends last.
import { join } from 'node:path';
import { systemClock } from '../kit/clock.ts';
import type { Deadline } from '../kit/deadline.ts';
import type { Logger } from '../kit/logger.ts';
import type { Health, Service } from '../kit/service.ts';
import { Supervisor } from '../kit/supervisor.ts';
import { PoisonStream } from '../nats/poison-stream.ts';
import { wantedStreams } from '../nats/stream-plan.ts';
import { AdminServer } from './admin/admin-server.ts';
import { hubMetrics } from './admin/hub-metrics.ts';
import { DataDirLock } from './data-dir-lock.ts';
import { Downstream } from './downstream/downstream.ts';
import { Forgeries } from './forgeries.ts';
import type { HubConfig } from './hub-config.ts';
import { HubAuthority } from './hub-authority.ts';
import { hubIdentity } from './hub-identity.ts';
import { createHubJoining } from './hub-joining.ts';
import { createHubNats, type HubNatsParts } from './hub-nats.ts';
import { CrdInstaller } from './kubernetes/crds.ts';
import { createDeviceModelWatch, createDeviceWatch } from './kubernetes/device-watch.ts';
import { EventRecorder } from './kubernetes/event-recorder.ts';
import { JoinedNodes } from './join/joined-nodes.ts';
import { KubeClient } from './kubernetes/kube-client.ts';
import { KubeDeviceApi } from './kubernetes/kube-device-api.ts';
import { KubeService } from './kubernetes/kube-service.ts';
import { LeaderLease } from './kubernetes/leader-lease.ts';
import { NodeApi } from './kubernetes/node-api.ts';
import { StatusWriter } from './kubernetes/status-writer.ts';
import { ClaimFloors } from './nodes/claim-floors.ts';
import { Nodes } from './nodes/nodes.ts';
import { hostsOf } from './nats-server/server-hosts.ts';
import { keptPassword } from './private-files.ts';
import { Streams } from './streams.ts';
import { Absences } from './upstream/absences.ts';
import { SilentNodes } from './upstream/silent-nodes.ts';
import { Upstream } from './upstream/upstream.ts';
import { WhileLeading } from './while-leading.ts';

export interface HubTools {
  readonly logger: Logger;
}

/** Where a running hub is reached. */
export interface HubAddresses {
  readonly nats: string;
  readonly http: string;
  readonly kubernetes: string;
}

export interface Hub extends Service {
  /** Known once started. */
  readonly addresses: HubAddresses;
  /** Of the managed nats-server, where there is one. */
  readonly natsServerPid: number | undefined;
  /** Lets one more node of this machine connect; resolves with its credentials file. */
  admitLocalNode(name: string): Promise<string>;
}

/** Throws KUBE_CONFIG_INVALID or ADMISSION_NEEDS_MANAGED_NATS at once; opens nothing before `start`. */
export function createHub(config: HubConfig, { logger }: HubTools): Hub {
  const authority = new HubAuthority(config, { logger });
  const nodeOf = (publicKey: string): string | undefined => joined.nodeOf(publicKey);
  const nats = createHubNats(config, { authority: () => authority.current, nodeOf, logger });
  const { link } = nats;
  const client = KubeClient.fromFile(config.kubeconfigFile);
  const poison = new PoisonStream({ link, logger });
  const joined = new JoinedNodes({ client, revokeUsers: nats.revokeUsers, clock: systemClock, logger });
  const joining = createHubJoining(config, { authority: () => authority.current, nats, client, logger });
  const forgeries = new Forgeries({ logger });
  const way = partsOfTheWay(config, { nats, joined, client, poison, forgeries, logger });
  const identity = (): Promise<string> => hubIdentity(config.dataDir);
  const lease = config.leaderLease ? new LeaderLease({ identity, client, clock: systemClock, logger }) : undefined;
  const parts: readonly Service[] = [
    new DataDirLock(config),
    authority,
    ...nats.services,
    link,
    new KubeService(client),
    joined,
    ...joining.services,
    ...(lease === undefined ? way : [lease, new WhileLeading(way, { lease, logger })]),
  ];
  const leads = (): boolean => lease?.leads ?? true;
  const working = (): readonly Service[] => (lease?.leads === true ? [...parts, ...way] : parts);
  const admin = new AdminServer(config.http, {
    parts: working,
    metrics: hubMetrics({
      ...{ leads, setAside: () => poison.kept, parts: working },
      ...{ joinRefusals: joining.refusals, natsRefusals: nats.refusals, forged: () => forgeries.counts },
    }),
    status: () => ({ leads: leads(), leader: lease?.holder ?? '', poison: { setAside: poison.kept } }),
    routes: joining.routes,
    certificate: () =>
      authority.current.issueCertificate({ hosts: hostsOf(config.http.host), commonName: 'skerry-hub' }),
    token: () => keptPassword(join(config.dataDir, 'http-token')),
    logger,
  });
  return new HubService({ supervisor: new Supervisor([...parts, admin], { logger }), nats, admin, client });
}

interface Surroundings extends HubTools {
  readonly nats: HubNatsParts;
  readonly joined: JoinedNodes;
  readonly client: KubeClient;
  readonly poison: PoisonStream;
  readonly forgeries: Forgeries;
}

/** What carries values between Kubernetes and NATS: of several hubs, only the leader's runs. */
function partsOfTheWay(config: HubConfig, around: Surroundings): readonly Service[] {
  const { nats, joined, client, poison, forgeries, logger } = around;
  const clock = systemClock;
  const { link } = nats;
  const isAdmitted = (node: string): boolean => joined.isJoined(node) || nats.isAdmitted(node);
  const admitted = (): Iterable<string> => [...nats.admitted(), ...joined.names()];
  const wanted = wantedStreams(config.upStreamBytes, config.duplicateWindow);
  const streams = new Streams({ wanted }, { link, logger });
  const crds = new CrdInstaller({ dir: config.crdDir }, { client, logger });
  const devices = createDeviceWatch({ client, logger });
  const models = createDeviceModelWatch({ client, logger });
  const api = new KubeDeviceApi({ client, watch: devices });
  const writer = new StatusWriter({ interval: config.statusInterval }, { api, logger });
  const events = new EventRecorder({ client, clock, logger });
  const downstream = new Downstream({ link, streams, devices, models, writer, events, clock, forgeries, logger });
  const absences = new Absences({
    exists: (key, signal) => api.exists(key, signal),
    relist: () => devices.relist(),
  });
  const nodeApi = new NodeApi({ client });
  const upstream = new Upstream({
    ...{ link, devices, models, nodes: nodeApi, writer, events, absences, poison },
    ...{ forgeries, logger },
  });
  const floors = new ClaimFloors({ link, streams, devices, admitted, logger });
  const nodes = new Nodes(config.nodes, {
    ...{ link, downstream, floors, api: nodeApi, events, isAdmitted },
    ...{ forgeries, clock, logger },
  });
  joined.onVoided((node) => nodes.dismiss(node));
  const silentNodes = new SilentNodes({ devices, writer, presenceOf: (node) => nodes.presenceOf(node) });
  return [crds, writer, downstream, floors, streams, models, devices, upstream, nodes, silentNodes];
}

interface HubParts {
  readonly supervisor: Supervisor;
  readonly nats: HubNatsParts;
  readonly admin: AdminServer;
  readonly client: KubeClient;
}

class HubService implements Hub {
  readonly name = 'hub';
  readonly #parts: HubParts;

  constructor(parts: HubParts) {
    this.#parts = parts;
  }

  get ended(): Promise<unknown> {
    return this.#parts.supervisor.ended;
  }

  get addresses(): HubAddresses {
    const { nats, admin, client } = this.#parts;
    return { nats: nats.url(), http: admin.url, kubernetes: client.server };
  }

  get natsServerPid(): number | undefined {
    return this.#parts.nats.pid();
  }

  admitLocalNode(name: string): Promise<string> {
    return this.#parts.nats.admitLocalNode(name);
  }

  start(signal: AbortSignal): Promise<void> {
    return this.#parts.supervisor.start(signal);
  }

  stop(deadline: Deadline): Promise<void> {
    return this.#parts.supervisor.stop(deadline);
  }

  health(): Health {
    return this.#parts.supervisor.health();
  }
}
