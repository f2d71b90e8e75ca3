// What of one chain the stream has acknowledged and the disk still holds, oldest first: how far, when, and what it weighs. Pure.

export interface AcknowledgedNote {
  /** Stands for everything up to this sequence that an older note does not. */
  readonly sequence: number;
  /** When the first and the last of it was acknowledged. */
  readonly since: number;
  readonly at: number;
  readonly bytes: number;
}

/** One note for all that is acknowledged within a second: a busy chain would otherwise hold thousands of them. */
const NOTED_TOGETHER_MS = 1000;

export class AcknowledgedNotes {
  #notes: AcknowledgedNote[] = [];
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#notes.length === 0;
  }

  get bytes(): number {
    return this.#bytes;
  }

  [Symbol.iterator](): Iterator<AcknowledgedNote> {
    return this.#notes[Symbol.iterator]();
  }

  add(sequence: number, bytes: number, at: number): void {
    const last = this.#notes.at(-1);
    this.#bytes += bytes;
    if (last === undefined || at - last.since >= NOTED_TOGETHER_MS) {
      this.#notes.push({ sequence, since: at, at, bytes });
    } else {
      this.#notes[this.#notes.length - 1] = { sequence, since: last.since, at, bytes: last.bytes + bytes };
    }
  }

  /** The chain was found to stand at a sequence, and so many bytes up to it to be on disk. */
  moveTo(sequence: number, bytes: number, at: number): void {
    this.#notes = this.#notes.filter((note) => note.sequence <= sequence);
    const noted = this.#notes.reduce((sum, note) => sum + note.bytes, 0);
    // The stream may have stored these only just now, and not have synced them yet.
    if (sequence > 0) this.#notes.push({ sequence, since: at, at, bytes: Math.max(0, bytes - noted) });
    this.#bytes = this.#notes.reduce((sum, note) => sum + note.bytes, 0);
  }

  /** Takes out what was acknowledged up to the moment: one note for all of it. */
  take(through: number): AcknowledgedNote | undefined {
    const taken = this.#notes.filter(({ at }) => at <= through);
    const last = taken.at(-1);
    if (last === undefined) return undefined;
    this.#notes = this.#notes.slice(taken.length);
    const bytes = taken.reduce((sum, note) => sum + note.bytes, 0);
    this.#bytes -= bytes;
    return { ...last, since: taken[0]?.since ?? last.since, bytes };
  }

  /** What was taken could not be removed from disk. */
  putBack(note: AcknowledgedNote): void {
    this.#notes.unshift(note);
    this.#bytes += note.bytes;
  }
}
