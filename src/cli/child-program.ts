// One command of this program as a process of its own, so that it can be killed and watched coming back. It prints JSON lines;
// the first says that it serves, and where.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Deadline } from '../kit/deadline.ts';
import { messageOf } from '../kit/errors.ts';
import { sleep } from '../kit/sleep.ts';
import { seconds, type Duration } from '../kit/units.ts';
import { asObject, asString, parseJson, type JsonObject } from '../wire/json.ts';
import { cliErrors } from './errors.ts';

export interface ChildPart {
  readonly name: string;
  /** Arguments for this start: addresses chosen at the first one are asked for by name from then on. */
  readonly args: () => readonly string[];
  readonly logFile: string;
  /** A line after the first. */
  readonly onLine?: (line: JsonObject) => void;
  /** It serves: at the first start, and again after each restart. */
  readonly onReady: (line: JsonObject) => void;
  readonly onExit: (how: string) => void;
  /** What it stays away after an end; a second when not told. */
  readonly restartAfter?: () => Duration;
  /** Its error sentence, with the names that options have here. */
  readonly inOwnWords?: (reason: string) => string;
}

const START_WITHIN = seconds(60);
const RESTART_AFTER = seconds(1);

export class ChildProgram {
  readonly #part: ChildPart;
  readonly #closing = new AbortController();
  #child: ChildProcess | undefined;
  #isWanted = false;

  constructor(part: ChildPart) {
    this.#part = part;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when it serves; rejects with PART_FAILED and its own words. */
  async start(): Promise<void> {
    this.#isWanted = true;
    const child = this.#spawn();
    const line = await this.#firstLine(child);
    const error = asObject(line?.['error']);
    if (line === undefined || error !== undefined) {
      this.#isWanted = false;
      child.kill('SIGTERM');
      const { name: part, logFile: log } = this.#part;
      const reason = asString(error?.['message']) ?? 'it ended without a word';
      throw cliErrors.PART_FAILED({ part, log, reason: this.#part.inOwnWords?.(reason) ?? reason });
    }
    this.#part.onReady(line);
    void this.#restartAfter(child);
  }

  async stop(deadline: Deadline): Promise<void> {
    this.#isWanted = false;
    const child = this.#child;
    if (child === undefined || isOver(child)) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    if ((await deadline.wait(exited, 'late')) === 'late') child.kill('SIGKILL');
  }

  /** SIGKILL; it comes back. False when there was nothing to kill. */
  kill(): boolean {
    const child = this.#child;
    return child !== undefined && !isOver(child) && child.kill('SIGKILL');
  }

  /** Not started again from now on. */
  close(): void {
    this.#closing.abort();
  }

  #spawn(): ChildProcess {
    const log = openSync(this.#part.logFile, 'a', 0o600);
    // A group of its own: Ctrl-C in the terminal reaches its parent alone, which stops its parts in order. The IPC channel is how
    // the part notices when the parent itself was killed.
    const child = spawn(process.execPath, [process.argv[1] ?? '', ...this.#part.args(), '--output', 'json'], {
      stdio: ['ignore', 'pipe', log, 'ipc'],
      detached: true,
    });
    closeSync(log);
    this.#child = child;
    return child;
  }

  #firstLine(child: ChildProcess): Promise<JsonObject | undefined> {
    return new Promise((resolve) => {
      const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
      let isFirst = true;
      lines.on('line', (text) => {
        const line = asObject(parseJson(text)) ?? {};
        if (isFirst) resolve(line);
        else this.#part.onLine?.(line);
        isFirst = false;
      });
      lines.once('close', () => resolve(undefined));
      child.once('error', () => resolve(undefined));
      void sleep(START_WITHIN, this.#closing.signal).then(() => resolve(undefined));
    });
  }

  async #restartAfter(child: ChildProcess): Promise<void> {
    if (!isOver(child)) await once(child, 'exit');
    let how: string = child.signalCode ?? `exit code ${child.exitCode ?? 'unknown'}`;
    while (this.#isStillWanted()) {
      this.#part.onExit(how);
      await sleep(this.#part.restartAfter?.() ?? RESTART_AFTER, this.#closing.signal);
      if (!this.#isStillWanted()) return;
      try {
        await this.start();
        return;
      } catch (error) {
        how = messageOf(error);
        this.#isWanted = true;
      }
    }
  }

  #isStillWanted(): boolean {
    return this.#isWanted && !this.#closing.signal.aborted;
  }
}

const isOver = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;
