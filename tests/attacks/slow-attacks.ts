// Connections that begin something and never end it, at every door at once.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Attack, Counted } from './attack.ts';
import type { AttackedSite } from './attacked-site.ts';
import { SILENT_AT_NATS } from './nats-attacks.ts';

type Port = (site: AttackedSite) => number;

const REQUEST = 'GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: ';
const HELLO = '\x16\x03\x01\x02';
/** Of a CONNECT: its first bytes, and the length of much more. */
const CONNECT = '\x10\x7f\x00\x04MQTT';

/** A byte now and then, so that it looks busy; resolves when the other side has had enough. */
async function trickle(socket: Socket, text: string, ready: string): Promise<void> {
  socket.on('error', () => undefined).resume();
  await once(socket, ready);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  let sent = 0;
  const timer = setInterval(() => socket.write(Buffer.from(text[sent++] ?? 'x', 'latin1')), 100);
  await closed;
  clearInterval(timer);
}

const at = (door: string, what: string, counted: Counted, logged: RegExp, attempt: Attack['attempt']): Attack => ({
  ...{ door, what, counted, logged, attempt },
});

const plain =
  (port: Port, text: string): Attack['attempt'] =>
  (site) =>
    trickle(connect(port(site), '127.0.0.1'), text, 'connect');
const underTls =
  (port: Port, text: string): Attack['attempt'] =>
  (site) =>
    trickle(connectTls({ port: port(site), host: '127.0.0.1', ca: site.caOf('edge') }), text, 'secureConnect');

const MQTT: Counted = {
  ...{ at: 'edge', name: 'skerry_broker_refused_connections_total', series: 'reason="connect-timeout"' },
};
const SLOW_CLIENT = /connect-timeout|CONNECT/;

const mqtt = (what: string, attempt: Attack['attempt']): Attack => at('MQTT', what, MQTT, SLOW_CLIENT, attempt);

const http = (where: Counted['at'], what: string, text: string): Attack =>
  at(
    ...([`HTTP ${where}`, what, { at: where, name: `skerry_${where}_http_refusals_total` }] as const),
    /refused over HTTP/,
    plain((site) => site.portOf(where), text),
  );

export const SLOW: readonly Attack[] = [
  http('hub', 'headers that trickle in', REQUEST),
  http('hub', 'a handshake that trickles in', HELLO),
  http('edge', 'headers that trickle in', REQUEST),
  http('edge', 'a handshake that trickles in', HELLO),
  mqtt(
    'a CONNECT that trickles in',
    plain((site) => site.mqttPort('mqtt'), CONNECT),
  ),
  mqtt(
    'a WebSocket whose request trickles in',
    plain((site) => site.mqttPort('mqttWs'), REQUEST),
  ),
  mqtt(
    'a handshake that trickles in',
    plain((site) => site.mqttPort('mqttTls'), HELLO),
  ),
  mqtt(
    'a CONNECT that trickles in, under TLS',
    underTls((site) => site.mqttPort('mqttTls'), CONNECT),
  ),
  mqtt(
    'a WebSocket whose request trickles in, under TLS',
    underTls((site) => site.mqttPort('mqttWss'), REQUEST),
  ),
  SILENT_AT_NATS,
];
