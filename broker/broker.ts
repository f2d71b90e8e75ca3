// The MQTT broker of the edge process: Aedes, with its callbacks ending here. It opens no socket (`listeners.ts` does) and decides
// nothing: the gate says what may be acknowledged, the policy who may speak. Whatever a client sends, the process goes on.
import { Aedes, type AedesOptions, type AedesPublishPacket, type Client, type ConnectPacket } from 'aedes';
import type { Duplex } from 'node:stream';
import { Deadline } from '../src/kit/deadline.ts';
import { codeOf, messageOf } from '../src/kit/errors.ts';
import type { Logger } from '../src/kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../src/kit/service.ts';
import { ms } from '../src/kit/units.ts';
import { Audience } from './audience.ts';
import { INDIFFERENT, type ClientWatcher } from './client-watcher.ts';
import { Connections } from './connections.ts';
import { Deliveries } from './deliveries.ts';
import { brokerErrors } from './errors.ts';
import { createFanOut } from './fan-out.ts';
import { Gatekeeper } from './gatekeeper.ts';
import { publishLeftWills } from './left-wills.ts';
import { DEFAULT_LIMITS, type BrokerLimits } from './limits.ts';
import { Outflow } from './outflow.ts';
import type { PublishGate } from './publish-gate.ts';
import type { Publisher, RoutingSlip } from './sessions/routing-journal.ts';
import { FORGETFUL, type SessionStorage } from './sessions/session-storage.ts';
import { readFast } from './packet-reader.ts';
import { Resumption } from './resumption.ts';
import { Roster } from './roster.ts';
import { createSessions, type Sessions } from './sessions/sessions.ts';
import type { Will } from './sessions/wills.ts';

export interface BrokerConfig {
  /** Each one not given is that of `DEFAULT_LIMITS`. */
  readonly limits?: Partial<BrokerLimits>;
}

export interface PublishOptions {
  /** Default 1: sessions that are away get it when they come back. */
  readonly qos?: 0 | 1;
  readonly retain?: boolean;
}

/** A CONNACK that says "identifier rejected" (MQTT 3.1.1, 3.2.2.3). */
const IDENTIFIER_REJECTED = Buffer.of(0x20, 0x02, 0x00, 0x02);
/** What a client that does not read gets of the stop's time to take what was written to it. */
const FLUSH_GRACE = ms(500);

type State = 'idle' | 'running' | 'draining' | 'stopped';

interface Running {
  readonly aedes: Aedes;
  readonly connections: Connections;
  readonly gatekeeper: Gatekeeper;
  readonly resumption: Resumption;
  readonly sessions: Sessions;
}

interface BrokerTools {
  readonly gate: PublishGate;
  /** Default: sessions, retained messages and wills end with this process. */
  readonly storage?: SessionStorage;
  /** Default: nobody wants to know who is connected. */
  readonly watcher?: ClientWatcher;
  readonly logger: Logger;
}

export class Broker implements Service {
  readonly name = 'broker';
  readonly #limits: BrokerLimits;
  readonly #gate: PublishGate;
  readonly #storage: SessionStorage;
  readonly #watcher: ClientWatcher;
  readonly #logger: Logger;
  readonly #deliveries = new Deliveries();
  readonly #outflow = new Outflow();
  #audience = new Audience();
  /** `draining`: nothing is read from clients any more. `idle` and `stopped` may start. */
  #state: State = 'idle';
  #running: Running | undefined;
  #stopping: Promise<void> | undefined;

  constructor(config: BrokerConfig, tools: BrokerTools) {
    this.#limits = { ...DEFAULT_LIMITS, ...config.limits };
    this.#gate = tools.gate;
    this.#storage = tools.storage ?? FORGETFUL;
    this.#watcher = tools.watcher ?? INDIFFERENT;
    this.#logger = tools.logger;
  }

  /** Ready when sessions are as they were, and the wills of those whom a former process left connected are published. */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#stopping = undefined;
    const audience = (this.#audience = new Audience());
    const logger = this.#logger;
    const sessions = createSessions(this.#limits, { audience, storage: this.#storage, logger });
    const routeLate = (slip: RoutingSlip): void => {
      if (this.#running !== undefined) routeAgain(this.#running.aedes, slip);
    };
    const gatekeeper = new Gatekeeper(this.#gate, { sessions, routeLate, logger });
    const resumption = new Resumption({ queues: sessions.queues, deliveries: this.#deliveries, audience });
    const aedes = await Aedes.createBroker(this.#aedesOptions(gatekeeper, resumption, sessions));
    if (signal.aborted || this.#isStopping()) {
      aedes.close();
      await sessions.close(Deadline.after(FLUSH_GRACE));
      signal.throwIfAborted();
      throw new DOMException('stopped while starting', 'AbortError');
    }
    new Roster(aedes, { watcher: this.#watcher, logger });
    this.#watch(aedes, sessions, resumption);
    this.#running = { aedes, connections: new Connections(this.#limits), gatekeeper, resumption, sessions };
    this.#state = 'running';
    await publishLeftWills(aedes, sessions.persistence);
  }

  stop(deadline: Deadline): Promise<void> {
    this.#stopping ??= this.#stop(deadline);
    return this.#stopping;
  }

  health(): Health {
    return this.#state === 'running' ? HEALTHY : { state: 'failing', reason: `the broker is ${this.#state}` };
  }

  get connectedClients(): number {
    return this.#running?.aedes.connectedClients ?? 0;
  }

  /**
   * Resolves when the message is retained (if asked), stored for sessions that are away, and on its way to those who are here;
   * never waits for a subscriber. Rejects with BROKER_STOPPED when the broker does not run.
   */
  publish(topic: string, payload: string | Uint8Array, options: PublishOptions = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#publish(topic, payload, options, (error) => {
        if (error instanceof Error) reject(error);
        else resolve();
      });
    });
  }

  /** The same without a promise, for hot paths; what cannot be published is logged. */
  publishSoon(topic: string, payload: string | Uint8Array, options: PublishOptions = {}): void {
    this.#publish(topic, payload, options, (error) => {
      if (error instanceof Error) this.#logger.debug({ topic, reason: messageOf(error) }, 'not published');
    });
  }

  /** Whether a publication to this topic would reach anybody: a client that is here, or the session of one that is away. */
  hasSubscribers(topic: string): boolean {
    return this.#audience.hears(topic);
  }

  /** Serves MQTT on an open connection, or destroys it when there is no room. For `BrokerListeners`. */
  accept(connection: Duplex): void {
    const running = this.#running;
    if (running?.connections.add(connection) === true) {
      this.#outflow.gather(connection);
      const client = running.aedes.handle(connection);
      readFast(client);
      this.#deliveries.serve(client);
      running.resumption.watch(client);
      return;
    }
    this.#logger.debug({ limit: this.#limits.connections }, 'no room for another connection');
    connection.destroy();
  }

  /**
   * Reads no more, lets the gate answer what it was asked, and closes every connection, all by the deadline: after this the
   * broker still publishes, to sessions. For `BrokerListeners`, which stop first.
   */
  async quiesce(deadline: Deadline): Promise<void> {
    const running = this.#running;
    if (running === undefined || this.#state !== 'running') return;
    this.#state = 'draining';
    running.connections.deafen();
    await deadline.wait(running.gatekeeper.settled(), undefined);
    // Deliveries to subscribers are written in the loop's next round.
    await new Promise(setImmediate);
    await running.connections.close(Deadline.after(ms(Math.min(FLUSH_GRACE, deadline.remaining()))));
    // The last wills of those who were cut have passed the gate as well.
    await deadline.wait(running.gatekeeper.settled(), undefined);
  }

  #isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  async #stop(deadline: Deadline): Promise<void> {
    await this.quiesce(deadline);
    const running = this.#running;
    this.#running = undefined;
    this.#state = 'stopped';
    if (running === undefined) return;
    const { aedes, sessions } = running;
    await deadline.wait(new Promise<void>((resolve) => aedes.close(resolve)), undefined);
    await sessions.close(deadline);
  }

  #publish(
    topic: string,
    payload: string | Uint8Array,
    { qos = 1, retain = false }: PublishOptions,
    done: (error?: Error) => void,
  ): void {
    const aedes = this.#running?.aedes;
    if (aedes === undefined) {
      done(brokerErrors.BROKER_STOPPED({ topic }));
      return;
    }
    aedes.publish({ cmd: 'publish', topic, payload: bufferOf(payload), qos, retain, dup: false }, done);
  }

  #aedesOptions(gatekeeper: Gatekeeper, resumption: Resumption, { persistence }: Sessions): AedesOptions {
    return {
      mq: createFanOut(this.#audience, this.#deliveries),
      persistence,
      connectTimeout: this.#limits.connectTimeout,
      preConnect: (client, packet, answer) => {
        this.#preConnect(client, packet, answer);
      },
      authorizePublish: (client, packet, answer) => {
        gatekeeper.authorize(client ?? goneClient(packet), packet, answer);
      },
      authorizeForward: (client, packet) => {
        if (!resumption.lets(client, packet)) return null;
        this.#guardBacklog(client);
        return packet;
      },
    };
  }

  #preConnect(client: Client, packet: ConnectPacket, answer: (error: Error | null, go: boolean) => void): void {
    if (packet.clientId !== '' || packet.clean !== false) {
      answer(null, true);
      return;
    }
    client.conn.write(IDENTIFIER_REJECTED, () => {
      answer(brokerErrors.BROKER_CLIENT_ID_MISSING({}), false);
    });
  }

  /** Asked before each delivery. A persistent session keeps what its cut connection misses. */
  #guardBacklog(client: Client): void {
    if (client.conn.writableLength > this.#limits.backlog && !client.conn.destroyed) {
      this.#logger.warn({ client: client.id }, 'this subscriber does not keep up and is disconnected');
      client.conn.destroy();
    }
  }

  #watch(aedes: Aedes, sessions: Sessions, resumption: Resumption): void {
    const tell = (client: Client, error: Error): void => {
      const fields = { client: client.id as string | null, code: codeOf(error), reason: messageOf(error) };
      this.#logger.debug(fields, 'connection closed for an error');
    };
    aedes.on('clientError', tell);
    aedes.on('connectionError', tell);
    aedes.on('client', (client) => resumption.begin(client));
    aedes.on('clientReady', (client) => resumption.finish(client));
    aedes.on('clientDisconnect', (client) => {
      // What Aedes still does for it is done in this round of the loop.
      setImmediate(() => dropUnrouted(sessions, client));
    });
    (aedes as NodeJS.EventEmitter).on('error', (error: unknown) => {
      this.#logger.error({ reason: messageOf(error) }, 'the broker failed');
    });
  }
}

/** Whose will it is, when its connection ended with another process. */
const goneClient = (will: object): Publisher => ({
  id: (will as Partial<Will>).clientId ?? '',
  clean: true,
  isOfThePast: true,
});

/** Past the window of QoS 2, Aedes closes the connection after the gate has kept the publication: it is sent again. */
function dropUnrouted({ journal }: Sessions, client: Client): void {
  for (const slip of journal.unrouted(client)) if (slip.packet.qos === 2) journal.drop(slip);
}

function routeAgain(aedes: Aedes, { packet }: RoutingSlip): void {
  aedes.publish({ ...packet, cmd: 'publish', qos: 1, dup: false } as AedesPublishPacket, () => undefined);
}

function bufferOf(payload: string | Uint8Array): Buffer {
  if (typeof payload === 'string') return Buffer.from(payload);
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
}
