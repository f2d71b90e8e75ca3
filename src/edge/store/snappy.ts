// Snappy, the compression of LevelDB's blocks; only the way back, and only for the few blocks that say where the others are. Pure.

/** `undefined` when the bytes are not what a compressor would have written. */
export function unsnap(bytes: Uint8Array): Uint8Array | undefined {
  const length = varintAt(bytes, 0);
  const out = new Uint8Array(Math.min(length.value, 64 * bytes.length));
  let written = 0;
  for (let at = length.end; at < bytes.length;) {
    const element = elementAt(bytes, at);
    if (element.offset > written || written + element.size > out.length) return undefined;
    if (element.offset === 0) out.set(bytes.subarray(element.from, element.end), written);
    // Byte by byte: what is repeated may reach into what is being written.
    else for (let to = written; to < written + element.size; to += 1) out[to] = out[to - element.offset] ?? 0;
    written += element.size;
    at = element.end;
  }
  return written === length.value ? out : undefined;
}

/** Seven bits a byte, least first. */
export function varintAt(bytes: Uint8Array, from: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let at = from, factor = 1; ; at += 1, factor *= 128) {
    const byte = bytes[at] ?? 0;
    value += (byte & 127) * factor;
    if (byte < 128) return { value, end: at + 1 };
  }
}

interface Element {
  readonly size: number;
  /** How far back what is repeated stands; 0 for bytes that follow as they are, from `from` on. */
  readonly offset: number;
  readonly from: number;
  readonly end: number;
}

function elementAt(bytes: Uint8Array, at: number): Element {
  const tag = bytes[at] ?? 0;
  const upper = tag >>> 2;
  if ((tag & 3) === 0) {
    const extra = upper < 60 ? 0 : upper - 59;
    const size = 1 + (extra === 0 ? upper : littleEndian(bytes, at + 1, extra));
    return { size, offset: 0, from: at + 1 + extra, end: at + 1 + extra + size };
  }
  if ((tag & 3) === 1) return repeat(4 + (upper & 7), ((tag >>> 5) << 8) | (bytes[at + 1] ?? 0), at + 2);
  const width = (tag & 3) === 2 ? 2 : 4;
  return repeat(upper + 1, littleEndian(bytes, at + 1, width), at + 1 + width);
}

const repeat = (size: number, offset: number, end: number): Element => ({ size, offset, from: end, end });

function littleEndian(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let n = width - 1; n >= 0; n -= 1) value = value * 256 + (bytes[at + n] ?? 0);
  return value;
}
