// The edge process, part by part, in the order in which the parts start. They stop in reverse: sockets first, so that nobody is
// admitted any more; then what was admitted is finished, the uplink uses the time that is left, and the store closes last.
import { Broker, type ClientWatcher, type PublishGate } from '../../broker/index.ts';
import { systemClock } from '../kit/clock.ts';
import type { Deadline } from '../kit/deadline.ts';
import type { Logger } from '../kit/logger.ts';
import type { Metric } from '../kit/metrics.ts';
import type { Health, Service } from '../kit/service.ts';
import { Remembered } from '../kit/remembered.ts';
import { StampClock } from '../kit/stamp-clock.ts';
import { Supervisor } from '../kit/supervisor.ts';
import { deviceKey, parseDeviceKey, type DeviceId } from '../model/device.ts';
import { statesOf } from '../model/state-rules.ts';
import type { Twin } from '../model/twin.ts';
import type { NatsLink } from '../nats/nats-link.ts';
import { chainSubject, messageSubject, type DeviceClass } from '../wire/nats-subjects.ts';
import { EdgeAdmin } from './admin/edge-admin.ts';
import { edgeMetrics } from './admin/edge-metrics.ts';
import type { TwinRequests } from './admin/twin-routes.ts';
import { answersOf, listenerOf } from './announcements.ts';
import { Downlink, type DownlinkTools } from './downlink/downlink.ts';
import type { EdgeConfig } from './edge-config.ts';
import { Egress } from './egress/egress.ts';
import { MapperTopics } from './egress/mapper-topics.ts';
import { FactKeeper, type FactKeeperTools } from './ingress/fact-keeper.ts';
import { Ingress } from './ingress/ingress.ts';
import { OwedFacts } from './ingress/owed-facts.ts';
import { Rejects } from './ingress/rejects.ts';
import { Presence, PRESENCE_TIMES } from './ingress/presence.ts';
import { RedeliveryRecords } from './ingress/redelivery.ts';
import { StateKeeper, type StateKeeperTools } from './ingress/state-keeper.ts';
import { DesiredObjects } from './meta/desired-objects.ts';
import { createAccess, createListeners } from './mqtt-doors.ts';
import { NodeMemory } from './node-memory.ts';
import { ranBefore } from './outbox/age-keeper.ts';
import { Outbox } from './outbox/outbox.ts';
import { StoredSessions } from './sessions/stored-sessions.ts';
import { EdgeStore } from './store/edge-store.ts';
import type { Store } from './store/store.ts';
import { PastTwins } from './twin/past-twins.ts';
import { TwinBook } from './twin/twin-book.ts';
import { TwinHistory } from './twin/twin-history.ts';
import { twinWithTimes } from './twin/twin-times.ts';
import { createLink } from './node-link.ts';
import { HeartbeatSender } from './uplink/heartbeat.ts';
import { StateSender, type StateSenderTools } from './uplink/state-sender.ts';
import { Uplink } from './uplink/uplink.ts';

export interface EdgeAddresses {
  readonly mqtt: string;
  readonly mqttWs: string | undefined;
  readonly mqttTls: string | undefined;
  readonly mqttWss: string | undefined;
  readonly http: string;
}

interface Tools {
  readonly logger: Logger;
}

export class EdgeNode implements Service {
  readonly name = 'edge';
  readonly #supervisor: Supervisor;
  readonly #addresses: () => EdgeAddresses;

  constructor(config: EdgeConfig, tools: Tools) {
    const kept = createKeeping(config, tools);
    const devices = createDeviceSide(config, kept, tools);
    const cloud = createCloudSide(config, kept, devices, tools);
    const { accessFiles, broker, listeners, owedFacts, rejects, mapperTopics, presence } = devices;
    const parts: readonly Service[] = [
      ...kept.services,
      cloud.link,
      accessFiles,
      broker,
      mapperTopics,
      ...cloud.services,
      owedFacts,
      rejects,
      listeners,
      // Last, so that it is stopped before the sockets close: whom the node cuts off has not gone.
      presence,
    ];
    const admin = createAdmin(config, { kept, devices, cloud, parts }, tools);
    this.#supervisor = new Supervisor([...parts, admin], tools);
    this.#addresses = () => ({
      mqtt: listeners.addresses.tcp.url,
      mqttWs: listeners.addresses.ws?.url,
      mqttTls: listeners.addresses.tls?.url,
      mqttWss: listeners.addresses.wss?.url,
      http: admin.url,
    });
  }

  get ended(): Promise<unknown> {
    return this.#supervisor.ended;
  }

  /** Where it serves; after start. */
  get addresses(): EdgeAddresses {
    return this.#addresses();
  }

  start(signal: AbortSignal): Promise<void> {
    return this.#supervisor.start(signal);
  }

  stop(deadline: Deadline): Promise<void> {
    return this.#supervisor.stop(deadline);
  }

  health(): Health {
    return this.#supervisor.health();
  }
}

type Keeping = ReturnType<typeof createKeeping>;
type DeviceSide = ReturnType<typeof createDeviceSide>;
type CloudSide = ReturnType<typeof createCloudSide>;

/** What outlives the process. */
function createKeeping({ dataDir, credentials: { node }, ...config }: EdgeConfig, { logger }: Tools) {
  const store = new EdgeStore({ dataDir }, { logger });
  const clock = new StampClock(systemClock);
  const history = new TwinHistory(config.history, { store, clock });
  const twins = new TwinBook(history);
  const objects = new DesiredObjects();
  const seen = new RedeliveryRecords();
  const stamps = { load: async (from: Store) => clock.goOnFrom(await ranBefore(from)) };
  const memory = new NodeMemory({ node, dataDir }, { store, parts: [stamps, twins, objects] });
  const outbox = new Outbox(config.outbox, {
    store,
    clock,
    incarnation: () => memory.identity.incarnation,
    logger,
  });
  const chains = {
    twin: new Remembered(chainIn('twin', node)),
    event: new Remembered(chainIn('event', node)),
    telemetry: new Remembered(chainIn('telemetry', node)),
    data: new Remembered(chainIn('data', node)),
  };
  const chainOf = (chainClass: DeviceClass, device: DeviceId): string => chains[chainClass].get(deviceKey(device));
  const services = [store, memory, outbox];
  return { node, clock, store, twins, history, objects, seen, memory, outbox, chainOf, services };
}

const chainIn = (chainClass: DeviceClass, node: string) => (device: string) =>
  chainSubject(node, chainClass, parseDeviceKey(device));

/** MQTT in and out. */
function createDeviceSide(config: EdgeConfig, kept: Keeping, { logger }: Tools) {
  const { objects, twins, clock } = kept;
  const { node } = config.credentials;
  const definitionOf = (device: DeviceId) => objects.device(device);
  const gate: PublishGate = {
    concerns: (topic) => ingress.concerns(topic),
    admit: (publication) => ingress.admit(publication),
  };
  const watcher: ClientWatcher = {
    connected: (client) => presence.connected(client),
    gone: (client, how) => presence.gone(client, how),
  };
  const storage = new StoredSessions(kept.store);
  const { access, accessFiles, certificates } = createAccess(config, { logger });
  const broker = new Broker({ limits: config.broker ?? {} }, { gate, watcher, storage, access, logger });
  const publisher = { publish: broker.publishSoon.bind(broker), hasSubscribers: broker.hasSubscribers.bind(broker) };
  const egress = new Egress({ node }, { broker: publisher, clock });
  const rejects = new Rejects({
    tell: (untold) => ingress.tellRejected(untold),
    isKnown: (device) => objects.device(device) !== undefined,
    clock,
  });
  const answers = answersOf(egress, rejects, objects);
  const definitions = () => objects.devices();
  const presence = createPresence(config, { ...kept, definitionOf, answers });
  const ingress: Ingress = new Ingress(
    { node, chain: messageSubject(node), uploads: config.uploads },
    { ...kept, definitionOf, definitions, answers, presence, logger },
  );
  const mapperTopics = new MapperTopics({
    egress,
    definitions,
    twinOf: (definition) => twins.read(definition),
  });
  const owedFacts = new OwedFacts({ twins: () => twins.all(), tell: (device) => ingress.tellOwed(device) });
  const listeners = createListeners(config, { broker, access, certificates, logger });
  const listener = listenerOf(egress, kept, logger);
  return { accessFiles, broker, ingress, rejects, owedFacts, mapperTopics, listeners, listener, presence };
}

function createPresence(
  { presence: times = PRESENCE_TIMES }: EdgeConfig,
  tools: Keeping & FactKeeperTools & StateKeeperTools,
): Presence {
  const { twins, objects, clock } = tools;
  const states = new StateKeeper(new FactKeeper(tools.node, tools), tools);
  return new Presence(times, {
    definitions: () => objects.devices(),
    twins: () => twins.all(),
    twinOf: (device) => twins.read(device),
    keep: (device, observation) => states.keep(device, observation),
    clock,
  });
}

/** NATS up and down. Being offline is a state, not a failure. */
function createCloudSide(config: EdgeConfig, kept: Keeping, { listener, presence }: DeviceSide, { logger }: Tools) {
  const { credentials, version } = config;
  const { node } = credentials;
  const { store, twins, objects, memory, outbox, clock } = kept;
  const { link, keepers } = createLink(config, logger);
  const states = createStateSender(node, kept, { link, presence, logger });
  const uplink = new Uplink(
    { node },
    {
      link,
      outbox,
      identity: () => memory.identity,
      keep: memory.keep.bind(memory),
      onClaimed: states.open.bind(states),
      onDiverged: states.close.bind(states),
      clock,
      logger,
    },
  );
  const beats = new HeartbeatSender(
    { node, version },
    {
      ...{ link, indexGeneration: () => objects.position.generation, backlog: () => outbox.depth() },
      incarnation: () => memory.identity.incarnation,
      problem: () => uplink.problem,
      indexAbove: () => downlink.indexAbove,
    },
  );
  const tell = (): void => beats.send();
  const downlink: Downlink = new Downlink(
    { node },
    { link, store, objects, twins, keep: keeperIn(kept), listener, onReached: tell, onDoubt: tell, clock, logger },
  );
  return { link, uplink, services: [...keepers, downlink, states, uplink, beats] };
}

/** A definition changes twins as publications do: with what the cloud is to be told of it. */
function keeperIn(kept: Keeping): DownlinkTools['keep'] {
  const facts = new FactKeeper(kept.node, { ...kept, definitionOf: (device) => kept.objects.device(device) });
  return (tx, twin, changes, at) => {
    facts.keep(tx, { twin, told: { twin: changes }, eventId: '', trace: undefined, at });
  };
}

function createStateSender(
  node: string,
  { twins, objects, outbox, memory, chainOf, clock }: Keeping,
  tools: { readonly link: NatsLink; readonly presence: Presence; readonly logger: Logger },
): StateSender {
  const backlogOf = (device: DeviceId): number =>
    outbox.waiting(chainOf('twin', device)) + outbox.waiting(chainOf('telemetry', device));
  const term = (): number => memory.identity.term;
  const definitionOf: StateSenderTools['definitionOf'] = (device) => objects.device(device);
  const { timeOf } = clock;
  return new StateSender({ node }, { ...tools, twins: () => twins.all(), definitionOf, backlogOf, term, timeOf });
}

function createAdmin(
  { http, httpSecurity, credentials: { node } }: EdgeConfig,
  {
    kept,
    devices,
    cloud,
    parts,
  }: {
    readonly kept: Keeping;
    readonly devices: DeviceSide;
    readonly cloud: CloudSide;
    readonly parts: readonly Service[];
  },
  { logger }: Tools,
): EdgeAdmin {
  const healths = (): Record<string, Health> => Object.fromEntries(parts.map((part) => [part.name, part.health()]));
  const status = () => ({
    node,
    isLinked: cloud.link.connected,
    backlog: kept.outbox.depth(),
    indexGeneration: kept.objects.position.generation,
    clients: devices.broker.connectedClients,
    ...(cloud.uplink.problem === undefined ? {} : { problem: cloud.uplink.problem }),
  });
  const metrics = createMetrics(kept, devices, cloud);
  return new EdgeAdmin(
    { http, ...(httpSecurity === undefined ? {} : { httpSecurity }) },
    { healths, status, metrics, twins: twinRequests(kept, devices), logger },
  );
}

/** What is asked at this node about its twins, with the times that are known by now. */
function twinRequests(kept: Keeping, { ingress }: DeviceSide): TwinRequests {
  const timed = (twin: Twin): Twin => twinWithTimes(twin, kept.clock.timeOf);
  return {
    list: () => [...kept.twins.all()].map(timed),
    read: (namespace, name) => {
      const twin = kept.twins.read({ namespace, name });
      return twin === undefined ? undefined : timed(twin);
    },
    setDesired: (namespace, name, { property, value }) => ingress.wishes.set({ namespace, name }, property, value),
    release: (namespace, name, property) => ingress.wishes.release({ namespace, name }, property),
    past: new PastTwins(kept),
  };
}

function createMetrics(
  { outbox, store, twins }: Keeping,
  { ingress, rejects, broker }: DeviceSide,
  { link, uplink }: CloudSide,
): readonly Metric[] {
  return edgeMetrics({
    outbox: () => outbox.statistics(),
    store: () => store.statistics,
    publications: () => ingress.admissions.counts,
    rejected: () => rejects.counts.counts,
    uplink: () => ({ isLinked: link.connected, ...uplink.statistics }),
    devices: () => [...twins.all()].length,
    states: () => statesOf(twins.all()),
    broker: () => broker.statistics,
  });
}
