// MQTT over WebSocket (MQTT 3.1.1, chapter 6): an HTTP server that upgrades, and each socket as a stream of bytes. The only file
// that touches `ws`.
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createWebSocketStream, WebSocketServer, type WebSocket } from 'ws';
import { codeOf } from '../src/kit/errors.ts';
import { mebibytes } from '../src/kit/units.ts';
import { mayOpenFrom } from './access-policy.ts';
import { brokerErrors } from './errors.ts';
import { limitReached } from './client-limits.ts';
import type { Door } from './access/standing.ts';
import type { Arrival } from './guest.ts';
import type { BrokerLimits } from './limits.ts';
import type { Holding } from './unfinished-packets.ts';

/** Frames are cut as the client likes: one may hold the largest packet, and others with it. What is larger is refused at its header. */
const BESIDE_A_PACKET = mebibytes(1);
const TOO_LARGE = 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
const SUBPROTOCOLS = ['mqtt', 'mqttv3.1'];

type Limits = Pick<BrokerLimits, 'packet'>;

export interface WebSocketDoors {
  readonly limits: Limits;
  /** A socket was opened. */
  greet(socket: Socket): void;
  /** It carries MQTT on this stream now. */
  accept(connection: Duplex, arrival: Arrival): void;
  /** A connection that is not let in. */
  refuse(error: Error, socket: Socket): void;
  /** What is held of its messages; `undefined` when it was not accepted. */
  holding(connection: Duplex): Holding | undefined;
}

/** Who opens WebSockets at a server. */
export interface Visitors {
  readonly isEncrypted: boolean;
  /** How it came; `undefined`: it is not let in. */
  arrivalOf(socket: Socket): Arrival | undefined;
}

export function createWebSocketServer(options: ServerOptions, doors: WebSocketDoors, door: Door): Server {
  const server = createServer(options, answerPlainly);
  server.on('connection', (socket) => doors.greet(socket));
  serveWebSockets(server, doors, { isEncrypted: false, arrivalOf: (socket) => ({ socket, door }) });
  return server;
}

/** To who speaks HTTP alone. */
export function answerPlainly(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(426, { Connection: 'close', Upgrade: 'websocket', 'Content-Type': 'text/plain' });
  response.end('MQTT over WebSocket is spoken here, with the subprotocol "mqtt".\n');
}

/** Sockets are greeted elsewhere. */
export function serveWebSockets(server: Server | HttpsServer, doors: WebSocketDoors, visitors: Visitors): void {
  const upgrader = createUpgrader(doors.limits);
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', ignoreLostHandshake);
    const { origin = '', host = '' } = request.headers;
    if (!mayOpenFrom(request.headers.origin, request.headers.host, visitors.isEncrypted)) {
      doors.refuse(brokerErrors.BROKER_ORIGIN_REFUSED({ origin: shown(origin), host: shown(host) }), socket);
      refuse(socket);
      return;
    }
    const arrival = visitors.arrivalOf(socket);
    if (arrival === undefined) return;
    upgrader.handleUpgrade(request, socket, head, (webSocket) => {
      socket.removeListener('error', ignoreLostHandshake);
      const stream = streamOf(webSocket, doors.limits);
      doors.accept(stream, arrival);
      const unfinished = doors.holding(stream);
      if (unfinished !== undefined) weigh(webSocket, socket, unfinished);
    });
  });
}

const createUpgrader = ({ packet }: Limits): WebSocketServer =>
  new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: packet + BESIDE_A_PACKET,
    autoPong: false,
    handleProtocols: (offered) => SUBPROTOCOLS.find((name) => offered.has(name)) ?? false,
  });

/** Of a text that is as long as its sender likes. */
const shown = (text: string): string => text.slice(0, 100);

/** MQTT-6.0.0-1: a frame of text ends the connection, and is not read. */
function streamOf(webSocket: WebSocket, limits: Limits): Duplex {
  const stream = createWebSocketStream(webSocket);
  webSocket.prependListener('message', (_data, isBinary) => {
    if (!isBinary) stream.destroy();
  });
  const destroy = stream.destroy.bind(stream);
  stream.destroy = (error) => destroy(codeOf(error) === TOO_LARGE ? limitReached('packet', limits) : error);
  answerPings(webSocket);
  return stream;
}

/** What `ws` does not declare: bytes of a frame that has not ended, and of frames whose message has not. */
interface Receiving {
  readonly _receiver: { readonly _bufferedBytes: number; readonly _totalPayloadLength: number } | null;
}

/** To be called when `ws` reads from the socket: what is left when it has looked at a chunk is held. */
function weigh(webSocket: WebSocket, socket: Socket, unfinished: Holding): void {
  let hasEnded = true;
  webSocket.on('message', () => {
    hasEnded = true;
  });
  socket.on('data', (chunk: Buffer) => {
    const receiver = (webSocket as unknown as Receiving)._receiver;
    const held = receiver === null ? 0 : receiver._bufferedBytes + receiver._totalPayloadLength;
    if (held === 0) unfinished.drop();
    else if (hasEnded) unfinished.begin(held);
    else unfinished.add(chunk.length);
    hasEnded = held === 0;
  });
}

/** RFC 6455, 5.5.3: of pings that come before the answer to one is on its way, the last is answered. */
function answerPings(webSocket: WebSocket): void {
  let isAnswering = false;
  let next: Buffer | undefined;
  const answer = (data: Buffer): void => {
    isAnswering = true;
    webSocket.pong(data, false, () => {
      isAnswering = false;
      const waiting = next;
      next = undefined;
      if (waiting !== undefined) answer(waiting);
    });
  };
  webSocket.on('ping', (data: Buffer) => {
    if (isAnswering) next = data;
    else answer(data);
  });
}

function refuse(socket: Duplex): void {
  socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', () => socket.destroy());
}

/** A client that goes away while it shakes hands is nobody's problem. */
function ignoreLostHandshake(): void {
  return undefined;
}
