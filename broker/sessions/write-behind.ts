// Changes of sessions on their way to storage: in order, and many in one commit. What somebody waits for goes at once; the rest
// waits a moment for company, because most of what a live session stores (a message queued, delivered, acknowledged) is gone
// again before it was written. Changes made in one turn of the event loop reach storage in one commit, whole.
import type { Deadline } from '../../src/kit/deadline.ts';
import { messageOf } from '../../src/kit/errors.ts';
import type { Logger } from '../../src/kit/logger.ts';
import { ms, seconds, type Duration } from '../../src/kit/units.ts';
import type { SessionChange, SessionStorage } from './session-storage.ts';

interface Write {
  /** `undefined`: the record goes. Encoded when it is written, if it is. */
  readonly encode: (() => string) | undefined;
  /** Storage does not have this record yet: when it goes before it was written, nothing needs to be written. */
  readonly isNew: boolean;
}

type Writes = Map<string, Write>;

/**
 * A record that mostly is gone before it was written: its key and its text are made if it comes to that. What storage has of it is
 * kept by `WriteBehind`, unless another commit has written it.
 */
export interface Row {
  readonly key: string;
  encode(): string;
  isStored: boolean;
  isGone: boolean;
}

/** Rows on their way, and whether storage had each before. */
type Rows = ReadonlyMap<Row, boolean>;

const LINGER = ms(100);
const RETRY_AFTER = seconds(1);

export class WriteBehind {
  readonly #storage: SessionStorage;
  readonly #logger: Logger;
  #pending: Writes = new Map();
  #rows = new Set<Row>();
  #waiting: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #flight: Promise<void> | undefined;
  #isRefused = false;
  #isClosed = false;

  constructor(storage: SessionStorage, logger: Logger) {
    this.#storage = storage;
    this.#logger = logger;
  }

  put(key: string, encode: () => string, isNew = false): void {
    const before = this.#pending.get(key);
    // It will be encoded as it is then.
    if (before?.encode !== encode) this.#change(key, after(before, { encode, isNew }));
  }

  remove(key: string): void {
    if (this.#pending.get(key)?.isNew === true) this.#pending.delete(key);
    else this.#change(key, { encode: undefined, isNew: false });
  }

  /** To be written as it is then. */
  keep(row: Row): void {
    row.isGone = false;
    this.#rows.add(row);
    this.#beginSoon();
  }

  /** To be removed; not at all, where it was not written. */
  drop(row: Row): void {
    row.isGone = true;
    if (row.isStored) this.#rows.add(row);
    else this.#rows.delete(row);
    this.#beginSoon();
  }

  /** A commit of somebody else's, which is being built, says what becomes of this record. */
  forget(key: string): void {
    this.#pending.delete(key);
  }

  /** Resolves when all changes up to now are in storage, however long storage refuses. */
  written(): Promise<void> {
    if (!this.#hasChanges && this.#flight === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (!this.#isRefused) this.#begin();
    });
  }

  /** Writes what is left, and nothing after that. */
  async close(deadline: Deadline): Promise<void> {
    await deadline.wait(this.written(), undefined);
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #change(key: string, write: Write): void {
    this.#pending.set(key, write);
    this.#beginSoon();
  }

  get #hasChanges(): boolean {
    return this.#pending.size > 0 || this.#rows.size > 0;
  }

  #beginSoon(): void {
    if (this.#timer === undefined) this.#beginAfter(this.#isRefused ? RETRY_AFTER : LINGER);
  }

  #beginAfter(delay: Duration): void {
    if (this.#flight !== undefined || this.#isClosed) return;
    this.#timer ??= setTimeout(() => this.#begin(), delay);
  }

  #begin(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // A microtask later: changes that belong together are made in one turn.
    this.#flight ??= Promise.resolve().then(() => this.#fly());
  }

  async #fly(): Promise<void> {
    do {
      await this.#flush();
    } while (this.#waiting.length > 0 && !this.#isRefused);
    this.#flight = undefined;
    // Who waits after a refusal waits also when what was refused has been undone.
    if (this.#hasChanges || this.#waiting.length > 0) this.#beginSoon();
  }

  async #flush(): Promise<void> {
    const writes = this.#pending;
    const rows: Rows = new Map(Array.from(this.#rows, (row) => [row, row.isStored]));
    const waiting = this.#waiting;
    this.#pending = new Map();
    this.#rows = new Set();
    this.#waiting = [];
    try {
      if (writes.size > 0 || rows.size > 0)
        await this.#storage.commit(() => [...changesOf(writes), ...rowChangesOf(rows)]);
      this.#isRefused = false;
      for (const resolve of waiting) resolve();
    } catch (error) {
      if (!this.#isRefused) this.#logger.warn({ reason: messageOf(error) }, 'sessions cannot be stored now');
      this.#isRefused = true;
      this.#pending = takenBack(writes, this.#pending);
      this.#rows = rowsTakenBack(rows, this.#rows);
      this.#waiting = [...waiting, ...this.#waiting];
    }
  }
}

function changesOf(writes: Writes): SessionChange[] {
  return Array.from(writes, ([key, { encode }]) => [key, encode?.()] as const);
}

/** From here on storage is taken to have them: what goes now has to be removed. */
function* rowChangesOf(rows: Rows): Generator<SessionChange> {
  for (const [row, wasStored] of rows) {
    row.isStored = !row.isGone;
    if (!row.isGone) yield [row.key, row.encode()];
    else if (wasStored) yield [row.key, undefined];
  }
}

function rowsTakenBack(refused: Rows, newer: ReadonlySet<Row>): Set<Row> {
  for (const [row, wasStored] of refused) row.isStored = wasStored;
  return new Set([...refused.keys(), ...newer].filter(({ isGone, isStored }) => isStored || !isGone));
}

/** What was refused, under what came meanwhile. */
function takenBack(refused: Writes, newer: Writes): Writes {
  const all = new Map(refused);
  for (const [key, { encode, isNew }] of newer) {
    const before = refused.get(key);
    if (encode === undefined && before?.isNew === true) all.delete(key);
    else all.set(key, after(before, { encode, isNew }));
  }
  return all;
}

/** Whether storage has a record is what the first of its unwritten changes says. */
function after(before: Write | undefined, write: Write): Write {
  return before === undefined ? write : { ...write, isNew: before.isNew };
}
