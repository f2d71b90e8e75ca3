// Where clients reach the broker: TCP, and WebSocket where configured. A service of its own, so that sockets open after
// everything else is ready and close before anything else stops.
import { Server as HttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Deadline } from '../src/kit/deadline.ts';
import { codeOf, messageOf } from '../src/kit/errors.ts';
import type { Logger } from '../src/kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../src/kit/service.ts';
import { seconds } from '../src/kit/units.ts';
import type { AccessControl } from './access/access-control.ts';
import { doorOf } from './access/standing.ts';
import type { Broker } from './broker.ts';
import { brokerErrors } from './errors.ts';

export interface ListenAddress {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** The option that sets this address, for error messages; default `--mqtt`, and `--mqtt-ws` for WebSocket. */
  readonly option?: string;
}

type Doors = Pick<Broker, 'greet' | 'accept' | 'holding' | 'quiesce' | 'limits'>;

/**
 * A peer that is gone without a word is noticed by TCP itself, also where a client asked for no keepalive time: the system probes a
 * connection that has been idle this long, and gives it up when the probes stay unanswered.
 */
const IDLE_BEFORE_PROBE = seconds(60);
const SOCKET_OPTIONS = { noDelay: true, keepAlive: true, keepAliveInitialDelay: IDLE_BEFORE_PROBE };

export interface BrokerListenersConfig {
  readonly tcp: ListenAddress;
  readonly ws?: ListenAddress;
}

export interface BrokerListenersTools {
  readonly broker: Doors;
  /** That of the broker; absent: there are no users. */
  readonly access?: Pick<AccessControl, 'hasUsers'>;
  readonly logger: Logger;
}

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
  /** `mqtt://host:port` or `ws://host:port`. */
  readonly url: string;
}

export interface BrokerAddresses {
  readonly tcp: BrokerAddress;
  readonly ws?: BrokerAddress;
}

export class BrokerListeners implements Service {
  readonly name = 'broker-listeners';
  readonly #config: BrokerListenersConfig;
  readonly #broker: Doors;
  readonly #access: Pick<AccessControl, 'hasUsers'> | undefined;
  readonly #logger: Logger;
  readonly #servers: Server[] = [];
  #addresses: BrokerAddresses;
  #stopping: Promise<void> | undefined;

  constructor(config: BrokerListenersConfig, tools: BrokerListenersTools) {
    this.#config = config;
    this.#access = tools.access;
    this.#broker = tools.broker;
    this.#logger = tools.logger;
    this.#addresses = addressesOf(config.tcp.port, config.ws?.port, config);
  }

  /** Where clients connect. Before `start`: as configured, with 0 where the port is still to be chosen. */
  get addresses(): BrokerAddresses {
    return this.#addresses;
  }

  /** Rejects with BROKER_PORT_IN_USE, BROKER_ADDRESS_REFUSED or BROKER_USERS_MISSING; then no socket is open. */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#stopping = undefined;
    try {
      const { tcp, ws } = this.#config;
      this.#askForUsers({ option: '--mqtt', ...tcp });
      if (ws !== undefined) this.#askForUsers({ option: '--mqtt-ws', ...ws });
      const tcpPort = await this.#listen(this.#tcpServer(tcp), { option: '--mqtt', ...tcp });
      const wsPort =
        ws === undefined ? undefined : await this.#listen(await this.#wsServer(ws), { option: '--mqtt-ws', ...ws });
      signal.throwIfAborted();
      if (this.#isStopping()) throw new DOMException('stopped while starting', 'AbortError');
      this.#addresses = addressesOf(tcpPort, wsPort, this.#config);
    } catch (error) {
      await Promise.all(this.#closeServers());
      throw error;
    }
  }

  /** Who comes from elsewhere must say who it is: without users that would be nobody, and without this check everybody. */
  #askForUsers({ host, port, option }: Required<ListenAddress>): void {
    if (!doorOf(host).asksWho) return;
    if (this.#access?.hasUsers !== true) throw brokerErrors.BROKER_USERS_MISSING({ host, port, option });
    const problem = 'passwords and messages cross the network for anybody to read';
    this.#logger.warn({ host, port, option, problem }, 'MQTT is served to other machines without TLS');
  }

  /** Closes the doors, then lets the broker finish with those who are inside. */
  stop(deadline: Deadline): Promise<void> {
    this.#stopping ??= this.#stop(deadline);
    return this.#stopping;
  }

  health(): Health {
    return this.#servers.length > 0 ? HEALTHY : { state: 'failing', reason: 'no MQTT socket is open' };
  }

  #isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  async #stop(deadline: Deadline): Promise<void> {
    const isOpen = this.#servers.length > 0;
    const closed = Promise.all(this.#closeServers());
    if (isOpen) await this.#broker.quiesce(deadline);
    await deadline.wait(closed, undefined);
  }

  #closeServers(): Promise<void>[] {
    return this.#servers.splice(0).map(
      (server) =>
        new Promise<void>((resolve) => {
          server.close(() => {
            resolve();
          });
          // Requests that never became WebSockets would hold an HTTP server open.
          if (server instanceof HttpServer) server.closeAllConnections();
        }),
    );
  }

  #tcpServer({ host }: ListenAddress): Server {
    return createServer(SOCKET_OPTIONS, (socket: Socket) => {
      this.#broker.greet(socket);
      this.#broker.accept(socket, { socket, door: doorOf(host) });
    });
  }

  /** Loaded only where it is used: it costs memory. */
  async #wsServer({ host }: ListenAddress): Promise<Server> {
    const { createWebSocketServer } = await import('./websocket.ts');
    return createWebSocketServer(SOCKET_OPTIONS, this.#broker, doorOf(host));
  }

  async #listen(server: Server, address: Required<ListenAddress>): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => {
        reject(refusalOf(error, address));
      });
      server.listen(address.port, address.host, resolve);
    });
    this.#servers.push(server);
    server.removeAllListeners('error');
    server.on('error', (error) => {
      this.#logger.warn({ reason: messageOf(error) }, 'cannot take a connection in');
    });
    return (server.address() as AddressInfo).port;
  }
}

function refusalOf(error: Error, { host, port, option }: Required<ListenAddress>): Error {
  if (codeOf(error) === 'EADDRINUSE') return brokerErrors.BROKER_PORT_IN_USE({ host, port, option }, error);
  return brokerErrors.BROKER_ADDRESS_REFUSED({ host, port, option, reason: messageOf(error) }, error);
}

function addressesOf(tcpPort: number, wsPort: number | undefined, config: BrokerListenersConfig): BrokerAddresses {
  return {
    tcp: addressOf('mqtt', config.tcp.host, tcpPort),
    ...(config.ws === undefined ? {} : { ws: addressOf('ws', config.ws.host, wsPort ?? config.ws.port) }),
  };
}

function addressOf(scheme: string, host: string, port: number): BrokerAddress {
  return { host, port, url: `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}` };
}
