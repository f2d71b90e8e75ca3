// Where clients reach the broker: TCP, and WebSocket where configured. A service of its own, so that sockets open after
// everything else is ready and close before anything else stops.
import { Server as HttpServer } from 'node:http';
import { Server as HttpsServer } from 'node:https';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Deadline } from '../src/kit/deadline.ts';
import { codeOf, messageOf } from '../src/kit/errors.ts';
import type { Logger } from '../src/kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../src/kit/service.ts';
import { seconds } from '../src/kit/units.ts';
import type { AccessControl } from './access/access-control.ts';
import { doorOf, type Door } from './access/standing.ts';
import type { Broker } from './broker.ts';
import type { Certificates } from './certificates.ts';
import { brokerErrors } from './errors.ts';

export interface ListenAddress {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** The option that sets this address, for error messages; default `--mqtt`, `--mqtt-ws` and so on. */
  readonly option?: string;
}

type Doors = Pick<Broker, 'greet' | 'accept' | 'refuse' | 'holding' | 'quiesce' | 'limits'>;

/**
 * A peer that is gone without a word is noticed by TCP itself, also where a client asked for no keepalive time: the system probes a
 * connection that has been idle this long, and gives it up when the probes stay unanswered.
 */
const IDLE_BEFORE_PROBE = seconds(60);
const SOCKET_OPTIONS = { noDelay: true, keepAlive: true, keepAliveInitialDelay: IDLE_BEFORE_PROBE };

export interface BrokerListenersConfig {
  readonly tcp: ListenAddress;
  readonly ws?: ListenAddress;
  /** Over TLS; these need `certificates`. */
  readonly tls?: ListenAddress;
  readonly wss?: ListenAddress;
}

export interface BrokerListenersTools {
  readonly certificates?: Certificates;
  readonly broker: Doors;
  /** That of the broker; absent: there are no users. */
  readonly access?: Pick<AccessControl, 'hasUsers'>;
  readonly logger: Logger;
}

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
  /** `mqtt://host:port`, or with `ws`, `mqtts` and `wss`. */
  readonly url: string;
}

export interface BrokerAddresses {
  readonly tcp: BrokerAddress;
  readonly ws?: BrokerAddress;
  readonly tls?: BrokerAddress;
  readonly wss?: BrokerAddress;
}

type Kind = keyof BrokerListenersConfig;

/** In the order in which they are opened. */
const KINDS: Readonly<Record<Kind, { readonly scheme: string; readonly option: string }>> = {
  tcp: { scheme: 'mqtt', option: '--mqtt' },
  ws: { scheme: 'ws', option: '--mqtt-ws' },
  tls: { scheme: 'mqtts', option: '--mqtt-tls' },
  wss: { scheme: 'wss', option: '--mqtt-wss' },
};

export class BrokerListeners implements Service {
  readonly name = 'broker-listeners';
  readonly #config: BrokerListenersConfig;
  readonly #tools: BrokerListenersTools;
  readonly #servers: Server[] = [];
  #addresses: BrokerAddresses;
  #stopping: Promise<void> | undefined;

  constructor(config: BrokerListenersConfig, tools: BrokerListenersTools) {
    this.#config = config;
    this.#tools = tools;
    this.#addresses = addressesOf(config);
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
      const ports = new Map<Kind, number>();
      for (const [kind, address] of this.#wanted()) {
        this.#askForUsers(kind, address);
        ports.set(kind, await this.#listen(await this.#serverOf(kind, address), address));
      }
      signal.throwIfAborted();
      if (this.#isStopping()) throw new DOMException('stopped while starting', 'AbortError');
      this.#addresses = addressesOf(this.#config, ports);
    } catch (error) {
      await Promise.all(this.#closeServers());
      throw error;
    }
  }

  #wanted(): readonly (readonly [Kind, Required<ListenAddress>])[] {
    return kindsOf(this.#config).map(([kind, address]) => [kind, { option: KINDS[kind].option, ...address }]);
  }

  /** Who comes from elsewhere must say who it is: without users that would be nobody, and without this check everybody. */
  #askForUsers(kind: Kind, { host, port, option }: Required<ListenAddress>): void {
    if (!doorOf(host).asksWho) return;
    const { access, certificates, logger } = this.#tools;
    const isEncrypted = kind === 'tls' || kind === 'wss';
    const hasUsers = access?.hasUsers === true || (isEncrypted && certificates?.asksClients === true);
    if (!hasUsers) throw brokerErrors.BROKER_USERS_MISSING({ host, port, option });
    if (isEncrypted) return;
    const problem = 'passwords and messages cross the network for anybody to read';
    logger.warn({ host, port, option, problem }, 'MQTT is served to other machines without TLS');
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
    if (isOpen) await this.#tools.broker.quiesce(deadline);
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
          if (server instanceof HttpServer || server instanceof HttpsServer) server.closeAllConnections();
        }),
    );
  }

  /** What is not used is not loaded: it costs memory. */
  async #serverOf(kind: Kind, { host, option }: Required<ListenAddress>): Promise<Server> {
    const { broker: doors, certificates } = this.#tools;
    const door = doorOf(host);
    if (kind === 'tcp') return this.#tcpServer(door);
    if (kind === 'ws') return (await import('./websocket.ts')).createWebSocketServer(SOCKET_OPTIONS, doors, door);
    if (certificates === undefined) throw brokerErrors.BROKER_CERTIFICATE_MISSING({ option });
    const { createTlsServer, createTlsWebSocketServer } = await import('./tls-doors.ts');
    const create = kind === 'tls' ? createTlsServer : createTlsWebSocketServer;
    return create(SOCKET_OPTIONS, { doors, certificates, door });
  }

  #tcpServer(door: Door): Server {
    const { broker } = this.#tools;
    return createServer(SOCKET_OPTIONS, (socket: Socket) => {
      broker.greet(socket);
      broker.accept(socket, { socket, door });
    });
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
      this.#tools.logger.warn({ reason: messageOf(error) }, 'cannot take a connection in');
    });
    return (server.address() as AddressInfo).port;
  }
}

function refusalOf(error: Error, { host, port, option }: Required<ListenAddress>): Error {
  if (codeOf(error) === 'EADDRINUSE') return brokerErrors.BROKER_PORT_IN_USE({ host, port, option }, error);
  return brokerErrors.BROKER_ADDRESS_REFUSED({ host, port, option, reason: messageOf(error) }, error);
}

const kindsOf = (config: BrokerListenersConfig): readonly (readonly [Kind, ListenAddress])[] =>
  (Object.keys(KINDS) as Kind[]).flatMap((kind) => {
    const address = config[kind];
    return address === undefined ? [] : [[kind, address] as const];
  });

/** Before they are known, ports are those of the configuration. */
function addressesOf(config: BrokerListenersConfig, ports: ReadonlyMap<Kind, number> = new Map()): BrokerAddresses {
  const found = kindsOf(config).map(([kind, { host, port }]) => [
    kind,
    addressOf(KINDS[kind].scheme, host, ports.get(kind) ?? port),
  ]);
  return Object.fromEntries(found) as BrokerAddresses;
}

function addressOf(scheme: string, host: string, port: number): BrokerAddress {
  return { host, port, url: `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}` };
}
