// MQTT over TLS, by itself and under WebSocket: who shows a certificate is the user that it names.
import { createServer as createHttpsServer } from 'node:https';
import type { Socket, TcpNetConnectOpts } from 'node:net';
import { createServer, TLSSocket, type Server } from 'node:tls';
import { codeOf, messageOf } from '../src/kit/errors.ts';
import type { Door } from './access/standing.ts';
import type { Certificates } from './certificates.ts';
import { brokerErrors } from './errors.ts';
import type { Arrival } from './guest.ts';
import { answerPlainly, serveWebSockets, type WebSocketDoors } from './websocket.ts';

type SocketOptions = Pick<TcpNetConnectOpts, 'noDelay' | 'keepAlive' | 'keepAliveInitialDelay'>;

interface TlsTools {
  readonly doors: WebSocketDoors;
  readonly certificates: Certificates;
  /** Of all who come in here. */
  readonly door: Door;
}

export function createTlsServer(options: SocketOptions, tools: TlsTools): Server {
  const server = createServer(optionsOf(options, tools.certificates));
  server.on('secureConnection', (connection) => {
    const arrival = arrivalOf(connection, tools);
    if (arrival !== undefined) tools.doors.accept(connection, arrival);
  });
  return prepare(server, tools);
}

export function createTlsWebSocketServer(options: SocketOptions, tools: TlsTools): Server {
  const server = createHttpsServer(optionsOf(options, tools.certificates), answerPlainly);
  serveWebSockets(server, tools.doors, {
    isEncrypted: true,
    arrivalOf: (socket) => (socket instanceof TLSSocket ? arrivalOf(socket, tools) : undefined),
  });
  return prepare(server, tools);
}

/** A certificate that is not shown is no fault, and one that is not good is refused here, where it can be said why. */
const optionsOf = (options: SocketOptions, certificates: Certificates) => ({
  ...options,
  ...certificates.options,
  requestCert: certificates.asksClients,
  rejectUnauthorized: false,
});

function prepare(server: Server, { doors, certificates }: TlsTools): Server {
  certificates.serve(server);
  // Before the handshake, which has its share of the time until CONNECT.
  server.on('connection', (socket: Socket) => doors.greet(socket));
  server.on('tlsClientError', (error: Error, connection: TLSSocket) => {
    // It went away, or was cut for another reason.
    if (codeOf(error) === 'ECONNRESET') return;
    doors.refuse(brokerErrors.BROKER_TLS_REFUSED({ problem: messageOf(error) }, error), socketUnder(connection));
  });
  return server;
}

function arrivalOf(connection: TLSSocket, { doors, door }: TlsTools): Arrival | undefined {
  const socket = socketUnder(connection);
  const { subject } = connection.getPeerCertificate() as { readonly subject?: { readonly CN?: unknown } };
  if (subject === undefined) return { socket, door };
  if (connection.authorized) {
    const { CN: name } = subject;
    return { socket, door: { ...door, certificate: typeof name === 'string' ? name : '' } };
  }
  const problem = `its certificate is not good: ${messageOf(connection.authorizationError)}`;
  doors.refuse(brokerErrors.BROKER_TLS_REFUSED({ problem }), socket);
  connection.destroy();
  return undefined;
}

/** What Node does not declare: the socket that was greeted, which counts what crosses the wire. */
const socketUnder = (connection: TLSSocket): Socket =>
  (connection as unknown as { readonly _parent?: Socket })._parent ?? connection;
