// MQTT over WebSocket (MQTT 3.1.1, chapter 6): an HTTP server that upgrades, and each socket as a stream of bytes. The only file
// that touches `ws`.
import { createServer, type Server, type ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createWebSocketStream, WebSocketServer, type WebSocket } from 'ws';
import { mayOpenFrom } from './access-policy.ts';

/** Frames are cut as the client likes; packets have a limit of their own, so this one only bounds what is held of a frame. */
const FRAME_LIMIT = 2 * 1024 * 1024;
const SUBPROTOCOLS = ['mqtt', 'mqttv3.1'];

export interface WebSocketDoors {
  /** A socket was opened. */
  greet(socket: Socket): void;
  /** It carries MQTT on this stream now. */
  accept(connection: Duplex, socket: Socket): void;
}

export function createWebSocketServer(options: ServerOptions, doors: WebSocketDoors): Server {
  const upgrader = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: FRAME_LIMIT,
    handleProtocols: (offered) => SUBPROTOCOLS.find((name) => offered.has(name)) ?? false,
  });
  const server = createServer(options, (_request, response) => {
    response.writeHead(426, { Connection: 'close', Upgrade: 'websocket', 'Content-Type': 'text/plain' });
    response.end('MQTT over WebSocket is spoken here, with the subprotocol "mqtt".\n');
  });
  server.on('connection', (socket) => doors.greet(socket));
  server.on('upgrade', (request, socket: Socket, head) => {
    socket.on('error', ignoreLostHandshake);
    if (!mayOpenFrom(request.headers.origin, request.headers.host)) {
      refuse(socket);
      return;
    }
    upgrader.handleUpgrade(request, socket, head, (webSocket) => {
      socket.removeListener('error', ignoreLostHandshake);
      doors.accept(streamOf(webSocket), socket);
    });
  });
  return server;
}

/** MQTT-6.0.0-1: a frame of text ends the connection, and is not read. */
function streamOf(webSocket: WebSocket): Duplex {
  const stream = createWebSocketStream(webSocket);
  webSocket.prependListener('message', (_data, isBinary) => {
    if (!isBinary) stream.destroy();
  });
  return stream;
}

function refuse(socket: Duplex): void {
  socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', () => socket.destroy());
}

/** A client that goes away while it shakes hands is nobody's problem. */
function ignoreLostHandshake(): void {
  return undefined;
}
