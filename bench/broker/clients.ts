// The generator's clients: raw sockets, packets encoded once. Where several messages are to be sent, or acknowledged, at a time,
// they go in one write, as they came in one read.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import {
  acknowledgement,
  CONNACK,
  encode,
  FrameReader,
  payloadAt,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  publishTemplate,
  SUBACK,
  type OnFrame,
} from './frames.ts';
import type { Job } from './job.ts';

const READ_BYTES = 64 * 1024;
const LARGEST_ID = 65_535;
/** In a payload: when it was sent, then by whom. */
const SENDER_AT = 8;

/** One connection whose frames are looked at where they lie, and whose answers to one chunk leave together. */
class Wire {
  onFrame: OnFrame = () => undefined;
  onChunk: () => void = () => undefined;
  readonly socket: Socket;
  readonly #reader = new FrameReader((header, data, from, to) => this.onFrame(header, data, from, to));
  readonly #answers: Buffer[] = [];

  private constructor(port: number) {
    const callback = (length: number, buffer: Uint8Array): boolean => {
      this.#reader.take(Buffer.from(buffer.buffer, buffer.byteOffset, length));
      if (this.#answers.length > 0) this.socket.write(Buffer.concat(this.#answers.splice(0)));
      this.onChunk();
      return true;
    };
    this.socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: { buffer: Buffer.alloc(READ_BYTES), callback },
    });
  }

  static async open(port: number, clientId: string, clean: boolean): Promise<Wire> {
    const wire = new Wire(port);
    await once(wire.socket, 'connect');
    await wire.ask(
      encode({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId, clean, keepalive: 0 }),
      CONNACK,
    );
    wire.socket.on('error', () => undefined);
    return wire;
  }

  ask(packet: Buffer, answerType: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.once('close', () => reject(new Error('the broker closed the connection')));
      this.onFrame = (header) => {
        if (header >> 4 === answerType) resolve();
      };
      this.socket.write(packet);
    });
  }

  /** @param data @param at the packet id that is answered */
  answer(type: number, data: Buffer, at: number): void {
    const packet = acknowledgement(type);
    packet[2] = data[at]!;
    packet[3] = data[at + 1]!;
    this.#answers.push(packet);
  }
}

export interface Subscriber {
  onChunk: () => void;
  close(): void;
}

const subscriberId = (job: Job, place: number): string => `${job.name}-s${place}`;

export async function openSubscriber(
  job: Job,
  place: number,
  onDelivery: (publisher: number, sentAt: number) => void,
): Promise<Subscriber> {
  const wire = await Wire.open(job.port, subscriberId(job, place), job.clean);
  const subscriptions = [{ topic: `${job.name}/+`, qos: job.qos }];
  await wire.ask(encode({ cmd: 'subscribe', messageId: 1, subscriptions }), SUBACK);
  wire.onFrame = (header, data, from) => {
    const type = header >> 4;
    if (type === PUBREL) wire.answer(PUBCOMP, data, from);
    if (type !== PUBLISH) return;
    const at = payloadAt(header, data, from);
    const qos = (header >> 1) & 3;
    if (qos > 0) wire.answer(qos === 1 ? PUBACK : PUBREC, data, at - 2);
    onDelivery(data.readUInt16LE(at + SENDER_AT), data.readDoubleLE(at));
  };
  return {
    set onChunk(act: () => void) {
      wire.onChunk = act;
    },
    close: () => wire.socket.destroy(),
  };
}

/** A clean connection ends the session of the same name. */
export async function removeSession(job: Job, place: number): Promise<void> {
  const wire = await Wire.open(job.port, subscriberId(job, place), true);
  wire.socket.destroy();
}

export interface Publisher {
  readonly sent: number;
  onChunk: () => void;
  send(count: number): void;
  close(): void;
}

export async function openPublisher(job: Job, place: number, onAcknowledged: () => void): Promise<Publisher> {
  const wire = await Wire.open(job.port, `${job.name}-p${place}`, true);
  const { bytes, idAt, payloadAt: stampAt } = publishTemplate(`${job.name}/${place}`, job.qos, job.size);
  let sent = 0;
  wire.onFrame = (header, data, from) => {
    const type = header >> 4;
    if (type === PUBREC) wire.answer(PUBREL, data, from);
    if (type === PUBACK || type === PUBCOMP) onAcknowledged();
  };
  const send = (count: number): void => {
    const burst = Buffer.allocUnsafe(count * bytes.length);
    for (let at = 0; at < burst.length; at += bytes.length) {
      bytes.copy(burst, at);
      if (idAt >= 0) burst.writeUInt16BE((sent % LARGEST_ID) + 1, at + idAt);
      burst.writeDoubleLE(performance.now(), at + stampAt);
      burst.writeUInt16LE(place, at + stampAt + SENDER_AT);
      sent += 1;
    }
    wire.socket.write(burst);
  };
  return {
    get sent() {
      return sent;
    },
    set onChunk(act: () => void) {
      wire.onChunk = act;
    },
    send,
    close: () => wire.socket.destroy(),
  };
}
