// What is said on a connection in one turn of the event loop goes in one write. Aedes writes each packet in four or five pieces and
// hands each to the system by itself; those calls and what Node does around them were two fifths of the broker's time
// (bench/README.md).
import type { Duplex } from 'node:stream';

/** Past it, what was gathered goes at once: no more than this is ever copied at a time, or held back from `writableLength`. */
const MOST_GATHERED = 64 * 1024;

type Piece = string | Uint8Array;

export class Outflow {
  #gathering: Gathering[] = [];

  /** From here on `connection.write` gathers. Its order is kept, and what was gathered goes before the connection's end. */
  gather(connection: Duplex): void {
    const gathering = new Gathering(connection);
    const write = connection.write.bind(connection);
    const end = connection.end.bind(connection);
    connection.write = (piece: Piece, encoding?: unknown, written?: unknown): boolean => {
      if (encoding !== undefined || piece.length > MOST_GATHERED) {
        gathering.flush();
        return write(piece, encoding as BufferEncoding, written as () => void);
      }
      if (gathering.add(piece)) this.#flushSoon(gathering);
      return !connection.writableNeedDrain;
    };
    connection.end = (...how: unknown[]): Duplex => {
      gathering.flush();
      return end(...(how as []));
    };
    // What it is for is done here; Aedes' encoder asks for it wherever it is found, once per packet.
    Object.defineProperty(connection, 'cork', { value: undefined });
  }

  #flushSoon(gathering: Gathering): void {
    if (this.#gathering.length === 0) setImmediate(() => this.#flush());
    this.#gathering.push(gathering);
  }

  #flush(): void {
    const all = this.#gathering;
    this.#gathering = [];
    for (const gathering of all) gathering.flush();
  }
}

class Gathering {
  readonly #connection: Duplex;
  readonly #write: (piece: Piece) => boolean;
  #pieces: Piece[] = [];
  #length = 0;

  constructor(connection: Duplex) {
    this.#connection = connection;
    this.#write = connection.write.bind(connection);
  }

  /** True when it is the first, and somebody must come for it. */
  add(piece: Piece): boolean {
    // A string's bytes are counted at their most: three for each of its units.
    this.#length += typeof piece === 'string' ? piece.length * 3 : piece.length;
    const isFirst = this.#pieces.push(piece) === 1;
    if (this.#length > MOST_GATHERED) this.flush();
    return isFirst;
  }

  flush(): void {
    const pieces = this.#pieces;
    if (pieces.length === 0) return;
    const most = this.#length;
    this.#pieces = [];
    this.#length = 0;
    if (this.#connection.writable) this.#write(joined(pieces, most));
  }
}

function joined(pieces: readonly Piece[], most: number): Piece {
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) return only;
  const whole = Buffer.allocUnsafe(most);
  let at = 0;
  for (const piece of pieces) {
    if (typeof piece === 'string') at += whole.write(piece, at);
    else {
      whole.set(piece, at);
      at += piece.length;
    }
  }
  return whole.subarray(0, at);
}
