// What LevelDB's manifest says of the logs. LevelDB checks that the tables it names are there, but not the logs. Pure.
import { readLog } from './level-log.ts';

/** Tags of a version edit, and how many numbers and texts follow each. */
const COMPARATOR = 1;
const LOG_NUMBER = 2;
const FIELDS: Readonly<Record<number, string>> = { 3: 'n', 4: 'n', 5: 'nt', 6: 'nn', 7: 'nnntt', 9: 'n' };

export interface Manifest {
  /** Logs below this one are in tables already; this one must be there. 0 before the first. */
  readonly oldestLog: number;
  readonly isDamaged: boolean;
}

export function readManifest(bytes: Uint8Array): Manifest {
  const { records, brokenAt } = readLog(bytes);
  let oldestLog = 0;
  for (const record of records) oldestLog = logNumberIn(record) ?? oldestLog;
  return { oldestLog, isDamaged: brokenAt !== undefined || records.length === 0 };
}

function logNumberIn(edit: Uint8Array): number | undefined {
  const reader = new EditReader(edit);
  let found: number | undefined;
  while (!reader.isAtEnd) {
    const tag = reader.number();
    if (tag === COMPARATOR) reader.skipText();
    else if (tag === LOG_NUMBER) found = reader.number();
    else reader.skip(FIELDS[tag]);
  }
  return found;
}

class EditReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** Seven bits a byte, least first. */
  number(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes[this.#at++] ?? 0;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }

  skipText(): void {
    this.#at += this.number();
  }

  /** What a later LevelDB may add is not understood: nothing behind it is. */
  skip(fields: string | undefined): void {
    if (fields === undefined) this.#at = this.#bytes.length;
    for (const field of fields ?? '') {
      if (field === 'n') this.number();
      else this.skipText();
    }
  }
}
