// Reads nothing of an MQTT stream but the lengths its packets announce, so that a packet over the limit is noticed at its first
// bytes, before a parser begins to collect it. Work per packet, not per byte.

const BETWEEN_PACKETS = -1;
/** The length field has at most four bytes of seven bits (MQTT 3.1.1, 2.2.3). */
const LAST_SHIFT = 21;

export class FrameMeter {
  readonly #limit: number;
  /** Bytes of the current packet still to come. */
  #rest = 0;
  /** Where the next length byte's bits go; between packets while its first byte has not come. */
  #shift = BETWEEN_PACKETS;
  #length = 0;
  /** Where in the last chunk the last packet that began in it did. */
  #begunAt: number | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether a packet has begun and not ended. */
  get isMidPacket(): boolean {
    return this.#rest > 0 || this.#shift !== BETWEEN_PACKETS;
  }

  /** Bytes at the end of the last chunk whose packet began in it; `undefined` when none did. */
  tailOf(chunk: Uint8Array): number | undefined {
    return this.#begunAt === undefined ? undefined : chunk.length - this.#begunAt;
  }

  /** The announced length of the first packet over the limit that begins in this chunk; `undefined` while all fit. */
  take(chunk: Uint8Array): number | undefined {
    this.#begunAt = undefined;
    for (let at = 0; at < chunk.length;) {
      if (this.#rest > 0) {
        const step = Math.min(this.#rest, chunk.length - at);
        this.#rest -= step;
        at += step;
        continue;
      }
      if (this.#shift === BETWEEN_PACKETS) this.#begunAt = at;
      this.#takeHeaderByte(chunk[at] ?? 0);
      at += 1;
      if (this.#rest > this.#limit) return this.#rest;
    }
    return undefined;
  }

  #takeHeaderByte(byte: number): void {
    if (this.#shift === BETWEEN_PACKETS) {
      this.#shift = 0;
      this.#length = 0;
      return;
    }
    this.#length += (byte & 0x7f) * 2 ** this.#shift;
    if (byte >= 0x80 && this.#shift < LAST_SHIFT) {
      this.#shift += 7;
      return;
    }
    // A fifth length byte is malformed: that is for the parser to say, which sees the same bytes next.
    this.#shift = BETWEEN_PACKETS;
    this.#rest = this.#length;
  }
}
