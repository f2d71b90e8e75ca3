// The MQTT broker of the edge process. It opens no socket (`listeners.ts` does) and decides nothing. Whatever a client sends, the
// process goes on.
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Deadline } from '../src/kit/deadline.ts';
import { messageOf } from '../src/kit/errors.ts';
import type { Logger } from '../src/kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../src/kit/service.ts';
import { ms } from '../src/kit/units.ts';
import { AccessControl } from './access/access-control.ts';
import { Denials } from './access/denials.ts';
import { Audience } from './audience.ts';
import { INDIFFERENT, type ClientWatcher } from './client-watcher.ts';
import { Endings } from './endings.ts';
import { createEngine, type Engine } from './engine.ts';
import { brokerErrors } from './errors.ts';
import { addressOf, type Arrival } from './guest.ts';
import { LeftWills } from './left-wills.ts';
import { DEFAULT_LIMITS, type BrokerLimits } from './limits.ts';
import type { PublishGate } from './publish-gate.ts';
import { FORGETFUL, type SessionStorage } from './sessions/session-storage.ts';
import { statisticsOf, type BrokerStatistics } from './statistics.ts';
import { Traffic } from './traffic.ts';
import type { Holding } from './unfinished-packets.ts';

export interface BrokerConfig {
  /** Each one not given is that of `DEFAULT_LIMITS`. */
  readonly limits?: Partial<BrokerLimits>;
}

export interface PublishOptions {
  /** Default 1: sessions that are away get it when they come back. */
  readonly qos?: 0 | 1;
  readonly retain?: boolean;
}

/** What a client that does not read gets of the stop's time to take what was written to it. */
const FLUSH_GRACE = ms(500);

/** In bytes: MQTT writes a text's length in two (MQTT-1.5.3). */
const LONGEST_TOPIC = 65_535;
/** So much of a topic is enough to know it by. */
const SHOWN = 200;

type State = 'idle' | 'running' | 'draining' | 'stopped';

interface BrokerTools {
  readonly gate: PublishGate;
  /** Default: sessions, retained messages and wills end with this process. */
  readonly storage?: SessionStorage;
  /** Default: nobody wants to know who is connected. */
  readonly watcher?: ClientWatcher;
  /** Default: there are no users, and everybody on loopback may do everything. */
  readonly access?: AccessControl;
  readonly logger: Logger;
}

export class Broker implements Service {
  readonly name = 'broker';
  readonly limits: BrokerLimits;
  readonly #tools: Required<BrokerTools>;
  readonly #logger: Logger;
  readonly #endings: Endings;
  readonly #denials: Denials;
  readonly #traffic = new Traffic();
  #audience = new Audience();
  /** `draining`: nothing is read from clients any more. `idle` and `stopped` may start. */
  #state: State = 'idle';
  #running: Engine | undefined;
  #stopping: Promise<void> | undefined;

  constructor(config: BrokerConfig, tools: BrokerTools) {
    this.limits = { ...DEFAULT_LIMITS, ...config.limits };
    this.#tools = { storage: FORGETFUL, watcher: INDIFFERENT, access: new AccessControl(), ...tools };
    this.#logger = tools.logger;
    this.#endings = new Endings(tools);
    this.#denials = new Denials(tools);
  }

  /** Ready when sessions are as they were, and the wills of those whom a former process left connected are published. */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#stopping = undefined;
    const audience = (this.#audience = new Audience());
    const engine = await createEngine(this.limits, {
      ...this.#tools,
      audience,
      endings: this.#endings,
      traffic: this.#traffic,
      denials: this.#denials,
      isStopping: () => this.#state !== 'running',
    });
    if (signal.aborted || this.#isStopping()) {
      engine.aedes.close();
      await engine.sessions.close(Deadline.after(FLUSH_GRACE));
      signal.throwIfAborted();
      throw new DOMException('stopped while starting', 'AbortError');
    }
    engine.connections.watch();
    this.#running = engine;
    this.#state = 'running';
    await new LeftWills(engine.aedes, engine.sessions).begin();
  }

  stop(deadline: Deadline): Promise<void> {
    this.#stopping ??= this.#stop(deadline);
    return this.#stopping;
  }

  health(): Health {
    if (this.#state !== 'running') return { state: 'failing', reason: `the broker is ${this.#state}` };
    const { connections } = this.limits;
    if ((this.#running?.connections.admitted ?? 0) < connections) return HEALTHY;
    return {
      state: 'degraded',
      reason: `${connections} clients are connected, and no more may be: --mqtt-connections`,
    };
  }

  get statistics(): BrokerStatistics {
    return statisticsOf(this.#running, { endings: this.#endings, traffic: this.#traffic, denials: this.#denials });
  }

  get connectedClients(): number {
    return this.#running?.aedes.connectedClients ?? 0;
  }

  /**
   * Resolves when the message is retained (if asked), stored for sessions that are away, and on its way to those who are here;
   * never waits for a subscriber. Rejects with BROKER_STOPPED when the broker does not run, and with BROKER_TOPIC_TOO_LONG.
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
      if (error instanceof Error)
        this.#logger.debug({ topic: topic.slice(0, SHOWN), reason: messageOf(error) }, 'not published');
    });
  }

  /** Whether a publication to this topic would reach anybody: a client that is here, or the session of one that is away. */
  hasSubscribers(topic: string): boolean {
    return this.#audience.hears(topic);
  }

  /** A socket was opened; destroys it when no new ones are wanted, and later when it does not say CONNECT. For `BrokerListeners`. */
  greet(socket: Socket): void {
    if (this.#running?.connections.greet(socket) !== true) socket.destroy();
  }

  /** Serves MQTT on a connection over a socket that was greeted. For `BrokerListeners`. */
  accept(connection: Duplex, arrival: Arrival): void {
    const running = this.#running;
    if (running?.connections.add(connection, arrival) === true) running.serve(connection);
    else connection.destroy();
  }

  /** A connection is closed before it could say CONNECT. For `BrokerListeners`. */
  refuse(error: Error, socket: Socket): void {
    this.#endings.refuse(error, { address: addressOf(socket) });
  }

  /** For what is held below the stream of a connection that was accepted. */
  holding(connection: Duplex): Holding | undefined {
    return this.#running?.connections.unfinished.holding(connection);
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
    // No packet could say it, and the sessions that keep it would meet it again and again.
    if (topic.length > SHOWN && Buffer.byteLength(topic) > LONGEST_TOPIC) {
      done(brokerErrors.BROKER_TOPIC_TOO_LONG({ topic: topic.slice(0, SHOWN), bytes: Buffer.byteLength(topic) }));
      return;
    }
    aedes.publish({ cmd: 'publish', topic, payload: bufferOf(payload), qos, retain, dup: false }, done);
  }
}

function bufferOf(payload: string | Uint8Array): Buffer {
  if (typeof payload === 'string') return Buffer.from(payload);
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
}
