// The other end of a connection: sends bytes, and tells in words what came back.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { waitUntil } from '../support/wait-until.ts';
import {
  PINGREQ,
  puback,
  pubcomp,
  pubrec,
  publish,
  pubrel,
  subscribe,
  type PublishFields,
  type Qos,
} from '../support/mqtt-bytes.ts';

const PATIENCE_MS = 5000;
const TYPES = ['', 'CONNECT', 'CONNACK', 'PUBLISH', 'PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP', 'SUBSCRIBE', 'SUBACK'];
const MORE_TYPES = ['UNSUBSCRIBE', 'UNSUBACK', 'PINGREQ', 'PINGRESP', 'DISCONNECT', ''];

export interface Received {
  readonly type: string;
  readonly flags: number;
  readonly body: Buffer;
  /** Of a publication at QoS 1 or 2, and of acknowledgements. */
  readonly id: number;
  readonly topic: string;
  readonly payload: string;
}

/** Packet ids that a broker chose are told by the order in which they were first seen: `#1`, `#2`. */
export class Labels {
  readonly #seen = new Map<string, string>();

  of(client: string, id: number): string {
    const key = `${client} ${id}`;
    const label = this.#seen.get(key) ?? `#${this.#seen.size + 1}`;
    this.#seen.set(key, label);
    return label;
  }
}

/** Cuts a stream of bytes into packets. */
export class PacketCutter {
  #rest: Buffer = Buffer.alloc(0);

  cut(chunk: Uint8Array): Received[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const packets: Received[] = [];
    for (;;) {
      const [length, at] = lengthOf(this.#rest);
      if (at === 0 || this.#rest.length < at + length) return packets;
      packets.push(read(this.#rest[0] ?? 0, this.#rest.subarray(at, at + length)));
      this.#rest = this.#rest.subarray(at + length);
    }
  }
}

/** The remaining length, and where the body begins: 0 while that is not known. */
function lengthOf(bytes: Buffer): readonly [length: number, at: number] {
  let length = 0;
  for (let at = 1; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    length += (byte & 0x7f) * 128 ** (at - 1);
    if (byte < 0x80) return [length, at + 1];
  }
  return [0, 0];
}

function read(header: number, body: Buffer): Received {
  const flags = header & 0x0f;
  const name = [...TYPES, ...MORE_TYPES][header >> 4] ?? '';
  const type = name === 'PUBLISH' || flags === (name === 'PUBREL' ? 2 : 0) ? name : `${name} with flags ${flags}`;
  if (type !== 'PUBLISH')
    return { type, flags, body, id: body.length < 2 ? 0 : body.readUInt16BE(0), topic: '', payload: '' };
  const end = 2 + body.readUInt16BE(0);
  const hasId = (flags & 0x06) !== 0;
  return {
    type,
    flags,
    body,
    id: hasId ? body.readUInt16BE(end) : 0,
    topic: body.toString('utf8', 2, end),
    payload: body.toString('utf8', hasId ? end + 2 : end),
  };
}

export class Wire {
  readonly socket: Socket;
  readonly #client: string;
  readonly #labels: Labels;
  readonly #unread: Received[] = [];
  #isClosed = false;

  private constructor(socket: Socket, client: string, labels: Labels) {
    this.socket = socket;
    this.#client = client;
    this.#labels = labels;
    const cutter = new PacketCutter();
    socket.on('data', (chunk) => this.#unread.push(...cutter.cut(chunk)));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#isClosed = true;
    });
  }

  static async open(port: number, client: string, labels = new Labels()): Promise<Wire> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    const wire = new Wire(socket, client, labels);
    await once(socket, 'connect');
    return wire;
  }

  send(...packets: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(packets));
  }

  /** The first packet of this type that nobody has been told of; the others stay. */
  async take(type: string): Promise<Received> {
    const found = await waitUntil(`a ${type} packet`, () => {
      const at = this.#unread.findIndex((one) => one.type === type);
      return at === -1 ? undefined : this.#unread.splice(at, 1)[0];
    });
    return found;
  }

  /** What came so far that nobody has been told: at least so many packets, or the end, and whatever is due at once. */
  async heard(atLeast = 0): Promise<string> {
    await this.#wait(() => this.#unread.length >= atLeast);
    if (!this.#isClosed) await this.quiet();
    return this.#tell(this.#unread.splice(0));
  }

  /** The next so many packets, or the end. */
  async packets(count: number): Promise<string> {
    await this.#wait(() => this.#unread.length >= count);
    return this.#tell(this.#unread.splice(0, count));
  }

  /** Until the broker ends the connection, or has not after a while: then it says that it is open. */
  async ending(patienceMs = PATIENCE_MS): Promise<string> {
    await this.#wait(() => false, patienceMs);
    return this.#tell(this.#unread.splice(0));
  }

  /** Everything up to a publication that says "end". */
  async untilEnd(): Promise<string> {
    const at = (): number => this.#unread.findIndex(({ payload }) => payload === 'end');
    await this.#wait(() => at() >= 0);
    const isThere = at() >= 0;
    const packets = this.#unread.splice(0, isThere ? at() + 1 : this.#unread.length);
    return isThere ? this.#tell(packets.slice(0, -1)) : `${this.#tell(packets)} and no end`;
  }

  /** A PINGREQ is answered, and then another: what was due has come. Not when a packet of ours is unfinished. */
  async quiet(): Promise<void> {
    for (let round = 0; round < 2 && !this.#isClosed; round += 1) {
      const isPong = ({ type }: Received): boolean => type === 'PINGRESP';
      this.send(PINGREQ);
      await this.#wait(() => this.#unread.some(isPong));
      const at = this.#unread.findIndex(isPong);
      if (at >= 0) this.#unread.splice(at, 1);
    }
  }

  async subscribe(filter: string, qos: Qos): Promise<void> {
    this.send(subscribe(900, [filter, qos]));
    await this.take('SUBACK');
  }

  /** The whole exchange of its QoS. */
  async publish(topic: string, payload: string, fields: PublishFields = {}): Promise<void> {
    const { qos = 0, id = 800 } = fields;
    this.send(publish(topic, payload, { ...fields, id }));
    if (qos === 1) await this.take('PUBACK');
    if (qos !== 2) return;
    await this.take('PUBREC');
    this.send(pubrel(id));
    await this.take('PUBCOMP');
  }

  /** The next publication, acknowledged as its QoS asks for. */
  async receive(): Promise<string> {
    const packet = await this.take('PUBLISH');
    const qos = (packet.flags >> 1) & 3;
    if (qos === 1) this.send(puback(packet.id));
    if (qos === 2) {
      this.send(pubrec(packet.id));
      await this.take('PUBREL');
      this.send(pubcomp(packet.id));
    }
    return this.#tell([packet]);
  }

  /** Gone without a word. */
  async cut(): Promise<void> {
    this.socket.destroy();
    await waitUntil('the socket to be closed', () => this.#isClosed);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  async #wait(condition: () => boolean, patienceMs = PATIENCE_MS): Promise<void> {
    const until = performance.now() + patienceMs;
    while (!condition() && !this.#isClosed && performance.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 5));
  }

  #tell(packets: readonly Received[]): string {
    const words = packets.map((packet) => this.#words(packet));
    if (this.#isClosed) words.push('closed');
    return words.length === 0 ? 'nothing' : words.join(', ');
  }

  #words(packet: Received): string {
    const { type, flags, body, id } = packet;
    const label = (): string => this.#labels.of(this.#client, id);
    switch (type) {
      case 'CONNACK':
        return `CONNACK ${body[1] ?? ''}${body[0] === 1 ? ' session present' : ''}`;
      case 'PUBLISH': {
        const marks = [
          (flags & 6) === 0 ? '' : label(),
          (flags & 1) === 1 ? 'retain' : '',
          (flags & 8) === 8 ? 'dup' : '',
        ];
        return ['PUBLISH', shortened(packet.topic), shortened(packet.payload), `QoS ${(flags >> 1) & 3}`, ...marks]
          .filter((word) => word !== '')
          .join(' ');
      }
      case 'PUBREL':
        return `PUBREL ${label()}`;
      case 'SUBACK':
        return `SUBACK ${id} [${[...body.subarray(2)].join(' ')}]`;
      case 'PINGRESP':
        return type;
      default:
        return `${type} ${id}`;
    }
  }
}

function shortened(words: string): string {
  return words.length > 40 ? `(${Buffer.byteLength(words)} bytes)` : words;
}
