// One hub per data dir. The lock names a process by pid and start time, so one left by a hub that was killed counts for nothing,
// even when its pid is in use again.
import { link, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deadline } from '../kit/deadline.ts';
import { codeOf } from '../kit/errors.ts';
import { HEALTHY, type Health, type Service } from '../kit/service.ts';
import { asInteger, asObject, parseJson } from '../wire/json.ts';
import { hubErrors } from './errors.ts';
import { readIfThere } from './private-files.ts';
import { startOf } from './processes.ts';

const ATTEMPTS = 5;

export class DataDirLock implements Service {
  readonly name = 'data-dir-lock';
  readonly #dir: string;
  readonly #file: string;
  #held = false;

  constructor(config: { readonly dataDir: string }) {
    this.#dir = config.dataDir;
    this.#file = join(config.dataDir, 'hub.lock');
  }

  /** Rejects with HUB_DATA_DIR_IN_USE, naming the process that holds it. */
  async start(_signal: AbortSignal): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    for (let attempt = 0; !this.#held && attempt < ATTEMPTS; attempt += 1) {
      this.#held = await this.#take();
      if (!this.#held) await this.#clearAway();
    }
    if (!this.#held) throw hubErrors.HUB_DATA_DIR_IN_USE({ dir: this.#dir, pid: 0 });
  }

  async stop(_deadline: Deadline): Promise<void> {
    if (!this.#held) return;
    this.#held = false;
    await rm(this.#file, { force: true });
  }

  health(): Health {
    return HEALTHY;
  }

  /** A link fails where the file exists, and appears with its content whole. */
  async #take(): Promise<boolean> {
    const own = `${this.#file}.${process.pid}`;
    await writeFile(own, JSON.stringify({ pid: process.pid, start: startOf(process.pid) }), { mode: 0o600 });
    try {
      await link(own, this.#file);
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      throw error;
    } finally {
      await rm(own, { force: true });
    }
  }

  async #clearAway(): Promise<void> {
    const text = await readIfThere(this.#file);
    const holder = asObject(parseJson(text ?? '')) ?? {};
    const pid = asInteger(holder['pid']);
    if (pid !== undefined && startOf(pid) !== undefined && startOf(pid) === holder['start'])
      throw hubErrors.HUB_DATA_DIR_IN_USE({ dir: this.#dir, pid });
    const aside = `${this.#file}.stale.${process.pid}`;
    await rename(this.#file, aside).catch(ignoreMissing);
    await rm(aside, { force: true });
  }
}

/** Another hub that starts in this moment was quicker: the next attempt sees its lock. */
function ignoreMissing(error: unknown): void {
  if (codeOf(error) !== 'ENOENT') throw error;
}
