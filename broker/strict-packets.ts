// What the parser that Aedes uses lets pass and MQTT 3.1.1 does not: texts that are not UTF-8, packet id 0, packets that end before or
// behind their last field, SUBSCRIBE without a filter or with one that is none, DUP at QoS 0. Each ends the connection (MQTT-4.8.0-1),
// and nothing that comes behind it is read.
import type { Client } from 'aedes';
import { isUtf8 } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { filterProblem } from '../src/wire/topic-filters.ts';
import { brokerErrors } from './errors.ts';

interface ParsedPacket {
  readonly cmd?: string;
  readonly length: number;
  readonly qos: number;
  readonly dup: boolean;
  readonly messageId?: number;
  readonly subscriptions?: readonly { readonly topic: string }[];
  readonly unsubscriptions?: readonly string[];
}

/** The inside of mqtt-packet's parser, whose methods are looked up by name on each packet. */
interface PacketParser {
  readonly packet: ParsedPacket;
  readonly _list: { readonly length: number; slice(from: number, to: number): Buffer };
  readonly _pos: number;
  error: Error | null;
  _emitError(error: Error): void;
  _parseString(): string | null;
  _parsePayload(): boolean;
  _parseConnect(): unknown;
  _newPacket(): boolean;
}

interface Parsing {
  readonly _parser: PacketParser;
  readonly conn: Duplex;
}

/** CONNACK, "unacceptable protocol version" (MQTT-3.1.2-2). */
const UNACCEPTABLE_LEVEL = Buffer.of(0x20, 0x02, 0x00, 0x01);
/** By protocol name. */
const LEVELS = new Map([
  ['MQTT', 4],
  ['MQIsdp', 3],
]);

/** From here on. To be called before anything was read from the client. */
export function readStrictly(client: Client): void {
  const { _parser: parser, conn } = client as unknown as Parsing;
  guardTexts(parser);
  guardPackets(parser);
  guardLevel(parser, conn);
  endBehind(parser, conn);
}

/** MQTT-1.5.3-1 and -2. What is not UTF-8 was decoded to U+FFFD, which a text may hold as well: then its bytes tell. */
function guardTexts(parser: PacketParser): void {
  const parse = parser._parseString.bind(parser);
  parser._parseString = () => {
    const from = parser._pos + 2;
    const text = parse();
    if (text === null || text.includes('\0')) return null;
    return text.includes('\uFFFD') && !isUtf8(parser._list.slice(from, parser._pos)) ? null : text;
  };
}

function guardPackets(parser: PacketParser): void {
  const parse = parser._parsePayload.bind(parser);
  parser._parsePayload = () => {
    if (!parse()) return false;
    const fault = parser.error === null ? faultOf(parser.packet, parser._pos) : undefined;
    if (fault !== undefined) parser._emitError(brokerErrors.BROKER_PACKET_MALFORMED({ fault }));
    return true;
  };
}

/** @param end where the last field ended; that of a PUBLISH is its payload, which takes what is left */
function faultOf(packet: ParsedPacket, end: number): string | undefined {
  const { cmd, length, qos, dup, messageId = 1 } = packet;
  const isPublish = cmd === 'publish';
  if (isPublish ? end > length : end !== length) return 'its length is not that of its fields';
  if (messageId < 1) return 'its packet id is 0 (MQTT-2.3.1-1)';
  if (isPublish && dup && qos === 0) return 'it has DUP at QoS 0 (MQTT-3.3.1-2)';
  return faultOfFilters(packet.unsubscriptions ?? packet.subscriptions?.map(({ topic }) => topic));
}

function faultOfFilters(filters: readonly string[] | undefined): string | undefined {
  if (filters?.length === 0) return 'it names no topic filter (MQTT-3.8.3-3, MQTT-3.10.3-2)';
  const problem = filters?.map(filterProblem).find((one) => one !== undefined);
  return problem === undefined
    ? undefined
    : `a topic filter of it ${problem} (MQTT-4.7.1-2, MQTT-4.7.1-3, MQTT-4.7.3-1)`;
}

/** A client that speaks another version is told so, and may try an older one. */
function guardLevel(parser: PacketParser, conn: Duplex): void {
  const parse = parser._parseConnect.bind(parser);
  parser._parseConnect = () => {
    const [nameLength = 0, name = ''] = nameOf(parser);
    const level = parser._list.slice(2 + nameLength, 3 + nameLength)[0];
    const spoken = LEVELS.get(name);
    if (spoken === undefined || level === undefined || level === spoken) return parse();
    const error = brokerErrors.BROKER_PACKET_MALFORMED({ fault: `its protocol level is ${level} (MQTT-3.1.2-2)` });
    parser.error = error;
    conn.end(UNACCEPTABLE_LEVEL, () => conn.destroy(error));
    return undefined;
  };
}

function nameOf({ _list: list }: PacketParser): [length: number, name: string] | [] {
  if (list.length < 2) return [];
  const length = list.slice(0, 2).readUInt16BE(0);
  return [length, list.slice(2, 2 + length).toString()];
}

/** MQTT-3.14.4-1: behind DISCONNECT, or whatever else ended the connection, nothing is processed. */
function endBehind(parser: PacketParser, conn: Duplex): void {
  const next = parser._newPacket.bind(parser);
  parser._newPacket = () => {
    const isMore = next();
    if (conn.destroyed) parser.error ??= brokerErrors.BROKER_PACKET_MALFORMED({ fault: 'its connection has ended' });
    return isMore;
  };
}
