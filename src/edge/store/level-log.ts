// LevelDB's log files, read without LevelDB: it skips what is damaged in silence, together with everything behind it in the same
// block. A log is a row of 32 KiB blocks of fragments; a record is one fragment, or several in a row. Pure.
import { crc32c, masked } from './crc32c.ts';

const BLOCK = 32 * 1024;
const HEADER = 7;
const FULL = 1;
const FIRST = 2;
const MIDDLE = 3;
const LAST = 4;

export interface LogFile {
  /** Every whole record whose checksums hold, oldest first. */
  readonly records: readonly Uint8Array[];
  /** Where what cannot be read begins; absent when all of it can. */
  readonly brokenAt?: number;
  /**
   * True when a whole record follows what cannot be read. Each record was synced before the next was begun, so that a power cut
   * leaves at most the last one unfinished: anything else is damage.
   */
  readonly isDamaged: boolean;
}

interface Fragment {
  readonly type: number;
  readonly at: number;
  readonly end: number;
}

export function readLog(bytes: Uint8Array): LogFile {
  const records = new Records(bytes);
  for (const { fragment, gap } of fragmentsOf(bytes)) {
    if (gap !== undefined) records.break(gap);
    if (fragment !== undefined) records.add(fragment);
  }
  return records.finish();
}

/** Puts fragments together to records. */
class Records {
  readonly #bytes: Uint8Array;
  readonly #whole: Uint8Array[] = [];
  #parts: Fragment[] = [];
  #brokenAt: number | undefined;
  #isDamaged = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Nothing that was begun goes on behind this place. */
  break(at: number): void {
    this.#brokenAt ??= this.#parts[0]?.at ?? at;
    this.#parts = [];
  }

  add(fragment: Fragment): void {
    const begins = fragment.type === FULL || fragment.type === FIRST;
    const isExpected = begins === (this.#parts.length === 0);
    if (!isExpected) this.break(fragment.at);
    if (!begins && !isExpected) return;
    this.#parts.push(fragment);
    if (fragment.type !== FULL && fragment.type !== LAST) return;
    this.#whole.push(joined(this.#bytes, this.#parts));
    this.#isDamaged ||= this.#brokenAt !== undefined;
    this.#parts = [];
  }

  finish(): LogFile {
    if (this.#parts.length > 0) this.break(this.#bytes.length);
    const brokenAt = this.#brokenAt;
    return { records: this.#whole, isDamaged: this.#isDamaged, ...(brokenAt === undefined ? {} : { brokenAt }) };
  }
}

/** Most records are one fragment: nothing is copied then. */
function joined(bytes: Uint8Array, parts: readonly Fragment[]): Uint8Array {
  const contents = parts.map(({ at, end }) => bytes.subarray(at + HEADER, end));
  return contents.length === 1 && contents[0] !== undefined ? contents[0] : Buffer.concat(contents);
}

/** The sound fragments in order. `gap` is where bytes before it, or at the end, are none. */
function* fragmentsOf(bytes: Uint8Array): Generator<{ readonly fragment?: Fragment; readonly gap?: number }> {
  let gap: number | undefined;
  for (let at = 0; at < bytes.length;) {
    const left = BLOCK - (at % BLOCK);
    if (left < HEADER) {
      at += left;
      continue;
    }
    const fragment = fragmentAt(bytes, at);
    if (fragment === undefined) {
      gap ??= at;
      at += 1;
      continue;
    }
    yield { fragment, ...(gap === undefined ? {} : { gap }) };
    gap = undefined;
    at = fragment.end;
  }
  if (gap !== undefined) yield { gap };
}

function fragmentAt(bytes: Uint8Array, at: number): Fragment | undefined {
  const type = bytes[at + 6] ?? 0;
  const end = at + HEADER + ((bytes[at + 4] ?? 0) | ((bytes[at + 5] ?? 0) << 8));
  const isPlausible = type >= FULL && type <= LAST && end <= bytes.length && end - (at - (at % BLOCK)) <= BLOCK;
  if (!isPlausible) return undefined;
  return masked(crc32c(bytes, at + 6, end)) === numberAt(bytes, at) ? { type, at, end } : undefined;
}

const numberAt = (bytes: Uint8Array, at: number): number =>
  new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0, true);

/** The records as LevelDB would have written them. */
export function writeLog(records: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let inBlock = 0;
  for (const record of records) {
    for (let from = 0, isFirst = true; isFirst || from < record.length; isFirst = false) {
      if (BLOCK - inBlock < HEADER) {
        parts.push(new Uint8Array(BLOCK - inBlock));
        inBlock = 0;
      }
      const end = Math.min(record.length, from + BLOCK - inBlock - HEADER);
      parts.push(fragmentOf(typeOf(isFirst, end === record.length), record.subarray(from, end)));
      inBlock += HEADER + end - from;
      from = end;
    }
  }
  return Buffer.concat(parts);
}

function typeOf(isFirst: boolean, isLast: boolean): number {
  if (isFirst) return isLast ? FULL : FIRST;
  return isLast ? LAST : MIDDLE;
}

function fragmentOf(type: number, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER + content.length);
  bytes.set([content.length & 0xff, content.length >>> 8, type], 4);
  bytes.set(content, HEADER);
  new DataView(bytes.buffer).setUint32(0, masked(crc32c(bytes, 6)), true);
  return bytes;
}
