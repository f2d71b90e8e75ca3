// Reads what a busy broker is sent most, PUBLISH and the four acknowledgements, and leaves everything else to Aedes' own parser:
// other packets, those that break a rule, and those that come in parts. That parser goes step by step through a list of buffers
// and offers each step to a debug log: it took a quarter of the broker's time (ADR 0028).
import type { Client } from 'aedes';

/** What Aedes' client does not declare. */
export interface Parser {
  /** Returns how many bytes wait for the rest of their packet. */
  parse(chunk: Buffer): number;
  emit(event: 'packet', packet: object): boolean;
  readonly error: Error | null;
  /** The packet it is in the middle of: without a command between two packets, of length -1 until that has come. */
  readonly packet: { readonly cmd: string | null; readonly length: number };
}

const PUBLISH = 3;
const DUP_AT_QOS_0 = 0x08;
const ACKNOWLEDGEMENTS: Readonly<Record<number, string>> = {
  0x40: 'puback',
  0x50: 'pubrec',
  0x62: 'pubrel',
  0x70: 'pubcomp',
};
/** From 5 on, these packets hold more. */
const LAST_SIMPLE_VERSION = 4;
/** Where the last length byte's bits go (MQTT 3.1.1, 2.2.3). */
const LAST_SHIFT = 21;

/** What this client sends is read here from now on. */
export function readFast(client: Client): void {
  const inside = client as unknown as { readonly _parser: Parser; readonly version: number | null };
  const parser = inside._parser;
  // No version yet before CONNECT.
  const reader = new PacketReader(parser, () => inside.version !== null && inside.version <= LAST_SIMPLE_VERSION);
  parser.parse = (chunk) => reader.take(chunk);
}

export class PacketReader {
  readonly #parser: Parser;
  readonly #parse: (chunk: Buffer) => number;
  readonly #isSimple: () => boolean;
  /** Bytes that the parser holds of the packet it is in the middle of. */
  #held = 0;

  /** `isSimple`: whether the client is known to speak a version whose packets are as they are read here. */
  constructor(parser: Parser, isSimple: () => boolean) {
    this.#parser = parser;
    this.#parse = parser.parse.bind(parser);
    this.#isSimple = isSimple;
  }

  take(chunk: Buffer): number {
    for (let at = 0; at < chunk.length && this.#parser.error === null;) at = this.#step(chunk, at);
    return this.#held;
  }

  /** Takes the packet that begins here, or leaves it to the parser; where the next one begins. */
  #step(chunk: Buffer, at: number): number {
    if (this.#parser.packet.cmd !== null) return this.#leave(chunk, at, at + this.#missing());
    const from = bodyAt(chunk, at);
    if (from === undefined) return this.#leave(chunk, at, Infinity);
    const to = from + lengthBetween(chunk, at + 1, from);
    const packet = to > chunk.length || !this.#isSimple() ? undefined : packetOf(chunk, at, { from, to });
    if (packet === undefined) return this.#leave(chunk, at, to);
    this.#parser.emit('packet', packet);
    return to;
  }

  #leave(chunk: Buffer, at: number, to: number): number {
    const end = Math.min(to, chunk.length);
    const part = chunk.subarray(at, end);
    // What begins at the end of a chunk must not keep all of it in memory.
    this.#held = this.#parse(to > chunk.length && at > 0 ? Buffer.from(part) : part);
    return end;
  }

  /** Byte by byte while the length has not come. */
  #missing(): number {
    const { length } = this.#parser.packet;
    return length < 0 ? 1 : length - this.#held;
  }
}

/** Behind the length; `undefined` when that has not come, or is none. */
function bodyAt(chunk: Buffer, at: number): number | undefined {
  for (let place = at + 1; place <= at + 4; place += 1) {
    const byte = chunk[place];
    if (byte === undefined) return undefined;
    if (byte < 0x80) return place + 1;
  }
  return undefined;
}

function lengthBetween(chunk: Buffer, at: number, to: number): number {
  let length = 0;
  for (let place = at, shift = 0; place < to && shift <= LAST_SHIFT; place += 1, shift += 7)
    length |= ((chunk[place] ?? 0) & 0x7f) << shift;
  return length;
}

interface Body {
  readonly from: number;
  readonly to: number;
}

/** As the parser would emit it; `undefined` for what is its business. */
function packetOf(chunk: Buffer, at: number, body: Body): object | undefined {
  const header = chunk[at] ?? 0;
  if (header >> 4 === PUBLISH) return (header & 0x0e) === DUP_AT_QOS_0 ? undefined : publicationOf(chunk, header, body);
  const cmd = ACKNOWLEDGEMENTS[header];
  const { from, to } = body;
  const messageId = to - from === 2 ? chunk.readUInt16BE(from) : 0;
  if (cmd === undefined || messageId === 0) return undefined;
  const qos = (header >> 1) & 3;
  return {
    cmd,
    retain: false,
    qos,
    dup: false,
    length: 2,
    topic: null,
    payload: null,
    messageId,
  };
}

function publicationOf(chunk: Buffer, header: number, { from, to }: Body): object | undefined {
  const qos = (header >> 1) & 3;
  if (qos === 3 || to - from < 2) return undefined;
  const topicEnd = from + 2 + chunk.readUInt16BE(from);
  const payloadAt = qos === 0 ? topicEnd : topicEnd + 2;
  if (payloadAt > to) return undefined;
  const dup = (header & 8) !== 0;
  const topic = chunk.toString('utf8', from + 2, topicEnd);
  const messageId = qos === 0 ? undefined : chunk.readUInt16BE(topicEnd);
  if (messageId === 0 || isDubious(topic)) return undefined;
  const packet = {
    cmd: 'publish',
    retain: (header & 1) !== 0,
    qos,
    dup,
    length: to - from,
    topic,
    payload: chunk.subarray(payloadAt, to),
  };
  return qos === 0 ? packet : Object.assign(packet, { messageId });
}

/** Whether its bytes have to be looked at (`strict-packets.ts`): what is not UTF-8 becomes U+FFFD. */
const isDubious = (topic: string): boolean => topic.includes('\uFFFD') || topic.includes('\0');
