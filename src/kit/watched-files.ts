// Files that people change while the program runs: read at the start, and again whenever they are written or replaced. A file that is
// wrong stops a start; later it is said, and what was read before stands.
import { readFile } from 'node:fs/promises';
import { unwatchFile, watchFile, type StatsListener } from 'node:fs';
import type { Deadline } from './deadline.ts';
import { codeOf, errorTable, messageOf } from './errors.ts';
import type { Logger } from './logger.ts';
import { HEALTHY, type Health, type Service } from './service.ts';
import { seconds, type Duration } from './units.ts';

export const fileErrors = errorTable({
  FILE_UNREADABLE: {
    kind: 'refused',
    message: ({ file, problem }: { file: string; problem: string }) => `${file} cannot be read: ${problem}`,
  },
});

export interface WatchedFile {
  readonly file: string;
  /** Default: a file that is missing is an error. */
  readonly isOptional?: boolean;
  /** What it holds; `undefined`: it is not there. Throws where that is wrong, and then changes nothing. */
  take(text: string | undefined): void;
}

const LOOK_EVERY = seconds(1);

export class WatchedFiles implements Service {
  readonly name: string;
  readonly #files: readonly WatchedFile[];
  readonly #logger: Logger;
  readonly #every: Duration;
  readonly #watching = new Map<string, StatsListener>();
  /** Why files are not as they should be, by file. */
  readonly #problems = new Map<string, string>();

  constructor(
    name: string,
    files: readonly WatchedFile[],
    tools: { readonly logger: Logger; readonly every?: Duration },
  ) {
    this.name = name;
    this.#files = files;
    this.#logger = tools.logger;
    this.#every = tools.every ?? LOOK_EVERY;
  }

  /** Rejects with what the first wrong file is refused for. */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    // Before it is read: what is written meanwhile is seen.
    for (const watched of this.#files) this.#watch(watched);
    try {
      for (const watched of this.#files) watched.take(await read(watched));
      signal.throwIfAborted();
    } catch (error) {
      this.#unwatch();
      throw error;
    }
  }

  stop(_deadline: Deadline): Promise<void> {
    this.#unwatch();
    return Promise.resolve();
  }

  health(): Health {
    const [problem] = this.#problems.values();
    return problem === undefined ? HEALTHY : { state: 'degraded', reason: problem };
  }

  /** By looking every so often, which also sees a link that was put to another file, as Kubernetes does with its Secrets. */
  #watch(watched: WatchedFile): void {
    const listener = (): void => void this.#readAgain(watched);
    watchFile(watched.file, { interval: this.#every, persistent: false }, listener);
    this.#watching.set(watched.file, listener);
  }

  #unwatch(): void {
    for (const [file, listener] of this.#watching) unwatchFile(file, listener);
    this.#watching.clear();
  }

  /** One that did not fit another, as a certificate and its key, may fit it now. */
  async #tryOthers(): Promise<void> {
    const other = this.#files.find(({ file }) => this.#problems.has(file));
    if (other !== undefined) await this.#readAgain(other);
  }

  async #readAgain(watched: WatchedFile): Promise<void> {
    const { file } = watched;
    try {
      const text = await read(watched);
      if (!this.#watching.has(file)) return;
      watched.take(text);
      this.#problems.delete(file);
      this.#logger.info({ file }, 'a file has changed, and is in force');
      await this.#tryOthers();
    } catch (error) {
      const reason = messageOf(error);
      this.#problems.set(file, reason);
      this.#logger.warn({ file, reason }, 'a file has changed and is wrong; what it held before stands');
    }
  }
}

async function read({ file, isOptional = false }: WatchedFile): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isOptional && codeOf(error) === 'ENOENT') return undefined;
    throw fileErrors.FILE_UNREADABLE({ file, problem: messageOf(error) }, error);
  }
}
