// What the load generator knows of MQTT: packets encoded once, and a reader that looks at headers only. Anything more would be
// time that the measured broker is not given.
import { generate, type Packet } from 'mqtt-packet';

export const CONNACK = 2;
export const PUBLISH = 3;
export const PUBACK = 4;
export const PUBREC = 5;
export const PUBREL = 6;
export const PUBCOMP = 7;
export const SUBACK = 9;

export const encode = (packet: Packet): Buffer => generate(packet);

/** The acknowledgement of this type; PUBREL carries a flag (MQTT 3.1.1, 3.6.1). */
export const acknowledgement = (type: number): Buffer => Buffer.of((type << 4) | (type === PUBREL ? 2 : 0), 2, 0, 0);

/** A PUBLISH of which copies are sent, with their own packet id and the two things the generator says in a payload. */
export interface PublishTemplate {
  readonly bytes: Buffer;
  readonly idAt: number;
  readonly payloadAt: number;
}

const NO_ID = -1;

export function publishTemplate(topic: string, qos: 0 | 1 | 2, size: number): PublishTemplate {
  const id = qos === 0 ? {} : { messageId: 1 };
  const bytes = encode({
    cmd: 'publish',
    topic,
    qos,
    payload: Buffer.alloc(size, 'x'),
    dup: false,
    retain: false,
    ...id,
  });
  const payloadAt = bytes.length - size;
  return { bytes, idAt: qos === 0 ? NO_ID : payloadAt - 2, payloadAt };
}

/** Where one packet begins in a chunk, and where what it says begins and ends. */
export type OnFrame = (header: number, data: Buffer, from: number, to: number) => void;

/** Cuts a stream into packets; what is not whole yet waits for the next chunk. */
export class FrameReader {
  readonly #onFrame: OnFrame;
  #rest: Buffer | undefined;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  take(chunk: Buffer): void {
    const data = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (at + 2 <= data.length) {
      let from = at + 1;
      let length = 0;
      let shift = 0;
      let byte: number;
      do {
        byte = data[from++] ?? 0;
        length += (byte & 0x7f) << shift;
        shift += 7;
      } while (byte >= 0x80 && from < data.length);
      if (byte >= 0x80 || from + length > data.length) break;
      this.#onFrame(data[at]!, data, from, from + length);
      at = from + length;
    }
    this.#rest = at === data.length ? undefined : Buffer.from(data.subarray(at));
  }
}

/** Where the payload of a PUBLISH begins. */
export const payloadAt = (header: number, data: Buffer, from: number): number =>
  from + 2 + data.readUInt16BE(from) + ((header & 0x06) === 0 ? 0 : 2);
