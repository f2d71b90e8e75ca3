// One port for HTTPS and HTTP: the first byte of a connection says which. What a peer can hold open is bounded in number and in
// time, from the moment in which it connects. Who may ask what is decided elsewhere (http-access.ts).
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer, Socket, type AddressInfo, type Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { createSecureContext, TLSSocket, type SecureContext } from 'node:tls';
import { ConnectionCount } from './connection-count.ts';
import type { Deadline } from './deadline.ts';
import { messageOf } from './errors.ts';
import { seconds, type Duration } from './units.ts';

/** Both as PEM. */
export interface ServerCertificate {
  readonly key: string;
  readonly certificate: string;
}

export interface HttpLimits {
  readonly connections: number;
  /** Of one address that is not of this machine. */
  readonly connectionsOfOne: number;
  /** From the connection to its first byte or, with TLS, to the end of the handshake. */
  readonly greeting: Duration;
  /** From the first byte of a request to the end of its headers. */
  readonly headers: Duration;
  /** The same to the end of its body. */
  readonly request: Duration;
  /** Without a byte in either direction. */
  readonly idle: Duration;
}

export const HTTP_LIMITS: HttpLimits = Object.freeze({
  ...{ connections: 512, connectionsOfOne: 64 },
  ...{ greeting: seconds(10), headers: seconds(10), request: seconds(30), idle: seconds(60) },
});

/** Why a connection ended before it asked anything that could be answered. */
export type HttpClosing = 'connections' | 'greeting' | 'handshake' | 'malformed';

export interface HttpListenerTools {
  answer(request: IncomingMessage, response: ServerResponse): void;
  /** Asked at the first TLS connection, and anew every hour. Absent: TLS connections are closed. */
  readonly certificate?: (() => Promise<ServerCertificate>) | undefined;
  closed(why: HttpClosing, fields: { readonly remoteAddress: string; readonly reason: string }): void;
  readonly limits?: Partial<HttpLimits>;
}

const HANDSHAKE_BYTE = 0x16;
const CERTIFICATE_KEPT = seconds(3600);
const LARGEST_HEADERS = 16 * 1024;
/** Shares of the shortest time that a late request may take longer. */
const CHECKS = 5;

interface Address {
  readonly host: string;
  readonly port: number;
}

export class HttpListener {
  readonly #address: Address;
  readonly #tools: HttpListenerTools;
  readonly #limits: HttpLimits;
  readonly #count: ConnectionCount;
  readonly #sockets = new Set<Socket>();
  #secured: { readonly at: number; readonly context: Promise<SecureContext> } | undefined;
  #servers: { readonly net: NetServer; readonly http: Server } | undefined;

  constructor(address: Address, tools: HttpListenerTools) {
    this.#address = address;
    this.#tools = tools;
    this.#limits = { ...HTTP_LIMITS, ...tools.limits };
    this.#count = new ConnectionCount(this.#limits);
  }

  /** As configured until it has started. */
  get port(): number {
    const address = this.#servers?.net.address() as AddressInfo | null | undefined;
    return address?.port ?? this.#address.port;
  }

  /** Rejects as `listen` of Node does. */
  async start(): Promise<void> {
    const http = this.#httpServer();
    const net = createServer({ noDelay: true }, (socket) => this.#greet(socket));
    await new Promise<void>((resolve, reject) => {
      net.once('error', reject);
      net.listen(this.#address.port, this.#address.host, resolve);
    });
    net.removeAllListeners('error');
    net.on('error', (error) => this.#tools.closed('connections', { remoteAddress: '', reason: messageOf(error) }));
    this.#servers = { net, http };
  }

  /** Requests under way are answered until the deadline. */
  async stop(deadline: Deadline): Promise<void> {
    const servers = this.#servers;
    this.#servers = undefined;
    if (servers === undefined) return;
    const closed = new Promise<void>((resolve) => servers.net.close(() => resolve()));
    servers.http.closeIdleConnections();
    await deadline.wait(closed, undefined);
    for (const socket of this.#sockets) socket.destroy();
    servers.http.close();
  }

  #httpServer(): Server {
    const { headers, request, idle } = this.#limits;
    const times = { headersTimeout: headers, requestTimeout: request, keepAliveTimeout: idle };
    const every = Math.ceil(Math.min(headers, request) / CHECKS);
    const options = { ...times, connectionsCheckingInterval: every, maxHeaderSize: LARGEST_HEADERS };
    const server = createHttpServer(options, (asked, response) => {
      const { socket } = asked;
      response.once('close', () => {
        if (this.#servers === undefined) socket.destroySoon();
      });
      this.#tools.answer(asked, response);
    });
    server.timeout = idle;
    server.on('clientError', (error, socket) => this.#drop(socket, 'malformed', messageOf(error)));
    // It does not listen itself, and would hold no request to its times without this.
    server.emit('listening');
    return server;
  }

  /** Whoever says nothing, or not enough, is cut off, however it trickles. */
  #greet(socket: Socket): void {
    const leave = this.#count.enter(socket.remoteAddress ?? '');
    socket.on('error', () => socket.destroy());
    if (leave === undefined) {
      this.#drop(socket, 'connections', 'too many connections');
      return;
    }
    this.#sockets.add(socket);
    const late = setTimeout(() => this.#drop(socket, 'greeting', 'too slow'), this.#limits.greeting);
    const greeted = (): void => clearTimeout(late);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      greeted();
      leave();
    });
    socket.once('data', (chunk: Buffer) => {
      socket.pause();
      socket.unshift(chunk);
      if (chunk[0] === HANDSHAKE_BYTE) void this.#shakeHands(socket, greeted);
      else this.#serve(socket, greeted);
    });
  }

  #serve(socket: Socket, greeted: () => void): void {
    greeted();
    if (this.#servers === undefined) socket.destroy();
    this.#servers?.http.emit('connection', socket);
    socket.resume();
  }

  async #shakeHands(socket: Socket, greeted: () => void): Promise<void> {
    const { certificate } = this.#tools;
    try {
      if (certificate === undefined) throw new Error('there is no certificate');
      const secured = new TLSSocket(socket, { isServer: true, secureContext: await this.#contextOf(certificate) });
      const failed = (): void => this.#drop(socket, 'handshake', 'the handshake was not finished');
      secured.on('error', () => secured.destroy());
      secured.once('close', failed);
      secured.once('secure', () => {
        secured.off('close', failed);
        this.#serve(secured, greeted);
      });
    } catch (error) {
      this.#drop(socket, 'handshake', messageOf(error));
    }
  }

  async #contextOf(certificate: () => Promise<ServerCertificate>): Promise<SecureContext> {
    const now = performance.now();
    if (this.#secured === undefined || now - this.#secured.at > CERTIFICATE_KEPT) {
      const context = certificate().then((pair) =>
        createSecureContext({ key: pair.key, cert: pair.certificate, minVersion: 'TLSv1.2' }),
      );
      this.#secured = { at: now, context };
      // The next connection asks again.
      context.catch(() => (this.#secured = undefined));
    }
    return this.#secured.context;
  }

  #drop(socket: Duplex, why: HttpClosing, reason: string): void {
    if (socket.destroyed && why !== 'handshake') return;
    const remoteAddress = socket instanceof Socket ? (socket.remoteAddress ?? '') : '';
    this.#tools.closed(why, { remoteAddress, reason });
    socket.destroy();
  }
}
