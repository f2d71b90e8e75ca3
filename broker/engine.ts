// What one start of the broker is made of: Aedes, with its callbacks ending here. Decides nothing: the gate says what may be
// acknowledged, the policy who may speak, the limits how much.
import { Aedes, type AedesOptions, type AedesPublishPacket, type Client } from 'aedes';
import { writeToStream } from 'mqtt-packet';
import type { Duplex } from 'node:stream';
import { messageOf } from '../src/kit/errors.ts';
import type { Logger } from '../src/kit/logger.ts';
import type { AccessControl } from './access/access-control.ts';
import type { Denials } from './access/denials.ts';
import { Passports } from './access/passports.ts';
import type { Audience } from './audience.ts';
import { guardBacklog } from './client-limits.ts';
import type { ClientWatcher } from './client-watcher.ts';
import { Connections } from './connections.ts';
import { Deliveries } from './deliveries.ts';
import type { Endings } from './endings.ts';
import { Entrance } from './entrance.ts';
import { brokerErrors } from './errors.ts';
import { createFanOut } from './fan-out.ts';
import { FilterLists } from './filter-lists.ts';
import { Gatekeeper } from './gatekeeper.ts';
import { goneClient } from './left-wills.ts';
import type { BrokerLimits } from './limits.ts';
import { Outflow } from './outflow.ts';
import { readFast } from './packet-reader.ts';
import type { PublishGate } from './publish-gate.ts';
import { Resumption } from './resumption.ts';
import { Roster } from './roster.ts';
import { SessionDoors } from './session-doors.ts';
import type { RoutingSlip } from './sessions/routing-slip.ts';
import type { SessionStorage } from './sessions/session-storage.ts';
import { NOTHING } from './sessions/session-persistence.ts';
import { createSessions, type Sessions } from './sessions/sessions.ts';
import { readStrictly } from './strict-packets.ts';
import type { Traffic } from './traffic.ts';

export interface Engine {
  readonly aedes: Aedes;
  readonly roster: Roster;
  readonly connections: Connections;
  readonly gatekeeper: Gatekeeper;
  readonly sessions: Sessions;
  /** Speaks MQTT on a connection that was added to `connections`. */
  serve(connection: Duplex): void;
}

export interface EngineTools {
  readonly gate: PublishGate;
  readonly storage: SessionStorage;
  readonly watcher: ClientWatcher;
  readonly audience: Audience;
  readonly endings: Endings;
  readonly traffic: Traffic;
  readonly access: AccessControl;
  readonly denials: Denials;
  /** Whether connections are being closed because the broker stops. */
  readonly isStopping: () => boolean;
  readonly logger: Logger;
}

type Parts = Pick<Engine, 'connections' | 'gatekeeper' | 'sessions'> & {
  readonly resumption: Resumption;
  readonly deliveries: Deliveries;
  readonly passports: Passports;
};

/** A timer longer than any connection: Aedes' own time-outs, where ours look at more. */
const NEVER = 2 ** 31 - 1;
/** Packets that a client may send before it has its CONNACK (MQTT-3.1.4-5); no more are read until then. */
const MOST_BEFORE_CONNACK = 4096;

// Aedes' encoder would keep a buffer for each of 65,536 packet ids; what is frequent is encoded here, past it (ADR 0028).
writeToStream.cacheNumbers = false;

export async function createEngine(limits: BrokerLimits, tools: EngineTools): Promise<Engine> {
  const { audience, storage, logger, endings } = tools;
  const deliveries = new Deliveries();
  const sessions = createSessions(limits, { audience, storage, logger });
  const routeLate = (slip: RoutingSlip): void => routeAgain(aedes, slip);
  const passports = new Passports(tools.access, tools.denials);
  const gatekeeper = new Gatekeeper(limits, { gate: tools.gate, sessions, passports, routeLate, logger });
  const resumption = new Resumption({ queues: sessions.queues, deliveries, audience });
  const connections = new Connections(limits, { onRefused: (error, address) => endings.refuse(error, { address }) });
  const entrance = new Entrance(limits, {
    connections,
    connected: (id) => roster.get(id),
    access: tools.access,
    passports,
    directory: sessions.directory,
    wills: sessions.wills,
  });
  const parts = { sessions, gatekeeper, resumption, connections, deliveries, passports };
  const aedes: Aedes = await Aedes.createBroker({
    ...aedesOptions(limits, parts, tools),
    preConnect: entrance.ask.bind(entrance),
  });
  const roster: Roster = new Roster(aedes, {
    watcher: tools.watcher,
    onLeft: (client, how) => endings.leave(client, how, tools.isStopping()),
    logger,
  });
  new SessionDoors(limits, { sessions, passports, logger }).guard(aedes);
  recheck(aedes, { roster, passports, access: tools.access });
  const filterLists = new FilterLists(limits);
  filterLists.serve(aedes);
  watch(aedes, parts, tools);
  const serve = serverOf(aedes, parts, filterLists);
  return { aedes, roster, connections, gatekeeper, sessions, serve };
}

function serverOf(aedes: Aedes, { deliveries, resumption }: Parts, filterLists: FilterLists): Engine['serve'] {
  const outflow = new Outflow();
  return (connection) => {
    outflow.gather(connection);
    const client = aedes.handle(connection);
    readStrictly(client);
    filterLists.read(client);
    readFast(client);
    deliveries.serve(client);
    resumption.watch(client);
  };
}

function aedesOptions(limits: BrokerLimits, parts: Parts, tools: EngineTools): AedesOptions {
  const { gatekeeper, resumption, sessions, deliveries, passports } = parts;
  const { audience, traffic } = tools;
  return {
    mq: createFanOut(audience, deliveries),
    persistence: sessions.persistence,
    connectTimeout: NEVER,
    drainTimeout: NEVER,
    maxInflightInbound: 0,
    queueLimit: MOST_BEFORE_CONNACK,
    authorizePublish: (client, packet, answer) => {
      traffic.receive(packet.qos);
      gatekeeper.authorize(client ?? goneClient(packet, passports), packet, answer);
    },
    authorizeForward: (client, packet) => {
      if (!resumption.lets(client, packet) || !passports.mayHear(client, packet.topic)) return null;
      guardBacklog(client.conn, limits);
      traffic.send();
      return packet;
    },
  };
}

function watch(aedes: Aedes, parts: Parts, { endings, logger }: EngineTools): void {
  const { sessions, connections, gatekeeper, resumption } = parts;
  const who = ({ id, conn }: Client) => ({ client: id as string | null, address: connections.addressOf(conn) });
  aedes.on('connectionError', (client, error) => endings.refuse(error, who(client)));
  aedes.on('clientError', (client, error) => endings.fail(client, error, who(client)));
  aedes.on('keepaliveTimeout', (client) => endings.fallSilent(client));
  aedes.on('client', (client) => {
    gatekeeper.begin(client);
    resumption.begin(client);
  });
  const { authorizeSubscribe } = aedes;
  aedes.authorizeSubscribe = (client, subscription, answer) => {
    resumption.hold(client);
    authorizeSubscribe(client, subscription, answer);
  };
  aedes.on('subscribe', (subscriptions, client) => resumption.release(client, subscriptions.length));
  aedes.on('clientReady', (client) => {
    // Aedes brings a CONNECT to its end whose connection is gone, and would wait for ever for what it then writes to be taken.
    if (client.closed) (client as { connected: boolean }).connected = false;
    else resumption.finish(client);
  });
  aedes.on('clientDisconnect', (client) => {
    // What Aedes still does for it is done in this round of the loop.
    setImmediate(() => dropUnrouted(sessions, client));
  });
  (aedes as NodeJS.EventEmitter).on('error', (error: unknown) => {
    logger.error({ reason: messageOf(error) }, 'the broker failed');
  });
}

/** Whoever listens to what it may not hear any more is cut off: when it comes back, it gets what it has a right to. */
function recheck(
  aedes: Aedes,
  {
    roster,
    passports,
    access,
  }: { readonly roster: Roster; readonly passports: Passports; readonly access: AccessControl },
): void {
  const look = (): void => {
    for (const client of [...roster])
      if (passports.isOutdated(client, filtersOf(client)))
        client.conn.destroy(brokerErrors.BROKER_RIGHTS_TAKEN({ client: client.id }));
  };
  aedes.once('closed', access.onChange(look));
}

function filtersOf(client: Client): string[] {
  const { subscriptions } = client as unknown as { readonly subscriptions: Readonly<Record<string, unknown>> };
  return Object.keys(subscriptions).filter((filter) => filter !== NOTHING.topic);
}

/** Its connection ended after the gate had kept the publication and before Aedes said so: it is sent again. */
function dropUnrouted({ journal }: Sessions, client: Client): void {
  for (const slip of journal.unrouted(client)) if (slip.packet.qos === 2) journal.drop(slip);
}

function routeAgain(aedes: Aedes, { packet }: RoutingSlip): void {
  aedes.publish({ ...packet, cmd: 'publish', qos: 1, dup: false } as AedesPublishPacket, () => undefined);
}
