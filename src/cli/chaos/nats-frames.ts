// Cuts what a nats-server says into whole frames, however the bytes arrive. Pure. What it does not know it hands on as it came:
// nothing may be lost here but what is meant to be.
export interface Frame {
  readonly bytes: Buffer;
  /** Of a message; nothing else has one. */
  readonly subject?: string;
}

const LINE_END = '\r\n';

export class FrameCutter {
  #rest: Buffer = Buffer.alloc(0);

  /** The frames that are complete now, in order. */
  push(chunk: Uint8Array): readonly Frame[] {
    const data = Buffer.concat([this.#rest, chunk]);
    const frames: Frame[] = [];
    let begin = 0;
    for (let frame = frameAt(data, begin); frame !== undefined; frame = frameAt(data, begin)) {
      frames.push(frame);
      begin += frame.bytes.length;
    }
    this.#rest = data.subarray(begin);
    return frames;
  }
}

function frameAt(data: Buffer, begin: number): Frame | undefined {
  const lineEnd = data.indexOf(LINE_END, begin);
  if (lineEnd === -1) return undefined;
  const afterLine = lineEnd + LINE_END.length;
  const words = data.toString('latin1', begin, lineEnd).split(/[ \t]+/);
  const verb = words[0]?.toUpperCase();
  // MSG subject sid [reply] bytes; HMSG subject sid [reply] header-bytes bytes.
  const size = Number(words.at(-1));
  if ((verb !== 'MSG' && verb !== 'HMSG') || !Number.isSafeInteger(size))
    return { bytes: data.subarray(begin, afterLine) };
  const end = afterLine + size + LINE_END.length;
  if (end > data.length) return undefined;
  return { bytes: data.subarray(begin, end), subject: data.toString('utf8', begin, lineEnd).split(/[ \t]+/)[1] ?? '' };
}
