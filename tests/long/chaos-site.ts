// A small site to which unkind things are done, one after the other; keeps what every process logged, how each ended, and how
// much memory it had.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, processesNaming } from '../support/processes.ts';
import type { Program } from '../support/program.ts';
import type { SmallSite } from '../support/small-site.ts';
import { waitUntil } from '../support/wait-until.ts';
import type { Move, Part } from './chaos-schedule.ts';

type OwnPart = 'edge' | 'hub';

export interface Life {
  readonly part: OwnPart;
  readonly program: Program;
  /** Resident megabytes, one sample a second. */
  readonly memory: number[];
}

export class ChaosSite implements Disposable {
  readonly site: SmallSite;
  readonly lives: Life[] = [];
  readonly #logsDir: string | undefined;
  readonly #sampler: NodeJS.Timeout;
  readonly #silenced = new Set<number>();

  /** @param logsDir where to keep what the processes logged, for whoever wants to know afterwards what happened */
  constructor(site: SmallSite, logsDir: string | undefined) {
    this.site = site;
    this.#logsDir = logsDir;
    this.#note('edge');
    this.#note('hub');
    this.#sampler = setInterval(() => {
      for (const { part, program, memory } of this.lives) {
        const megabytes = program === this.site[part] ? residentMegabytes(program.pid) : undefined;
        if (megabytes !== undefined) memory.push(megabytes);
      }
    }, 1000);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#sampler);
    for (const pid of this.#silenced) if (isAlive(pid)) process.kill(pid, 'SIGCONT');
    if (this.#logsDir !== undefined) this.#keepLogs(this.#logsDir);
  }

  async make(move: Move): Promise<void> {
    switch (move.kind) {
      case 'kill':
        return this.#killTogether(move.parts, move.away);
      case 'kill-restarting':
        return this.#killRestarting(move.part, move.after);
      case 'silence':
        return this.#silence(move.part === 'hub' ? this.site.hub.pid : await this.#natsPid(), move.lasting);
      case 'kill-hub-in-silence':
        return this.#killHubInSilence(move.lasting);
      case 'restart':
        return this.#restart(move.part, move.away);
    }
  }

  /** Ends both in order; their exit codes. */
  async end(): Promise<{ readonly edge: number | null; readonly hub: number | null }> {
    return { edge: await this.site.edge.stop(), hub: await this.site.hub.stop() };
  }

  /** Everything that one part logged in all its lives. */
  log(part: OwnPart): string {
    return this.lives
      .filter((life) => life.part === part)
      .map(({ program }) => program.log())
      .join('');
  }

  #keepLogs(dir: string): void {
    mkdirSync(dir, { recursive: true });
    for (const part of ['edge', 'hub'] as const) writeFileSync(join(dir, `${part}.log`), this.log(part));
    cpSync(join(this.site.dir, 'hub', 'nats', 'nats-server.log'), join(dir, 'nats-server.log'));
  }

  /** The most that any life of the part had in memory. */
  mostMemory(part: OwnPart): number {
    return Math.max(0, ...this.lives.filter((life) => life.part === part).flatMap(({ memory }) => memory));
  }

  async #killTogether(parts: readonly Part[], away: number): Promise<void> {
    const pids = await Promise.all(parts.map((part) => this.#pidOf(part)));
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await waitUntil('the killed to be gone', () => !pids.some(isAlive));
    await delay(away);
    await this.#startAgain(parts);
  }

  async #killRestarting(part: OwnPart, after: number): Promise<void> {
    await this.site[part].kill();
    const starting = this.#start(part).catch(() => undefined);
    await delay(after);
    const [pid] = this.#pidsOf(part);
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
    await starting;
    await this.site[part].kill();
    await this.#start(part);
  }

  async #killHubInSilence(lasting: number): Promise<void> {
    const silence = this.#silence(await this.#natsPid(), lasting);
    await this.site.hub.kill();
    await this.#start('hub');
    await silence;
  }

  async #silence(pid: number, lasting: number): Promise<void> {
    process.kill(pid, 'SIGSTOP');
    this.#silenced.add(pid);
    await delay(lasting);
    // A hub that starts meanwhile replaces a server that does not answer.
    if (isAlive(pid)) process.kill(pid, 'SIGCONT');
    this.#silenced.delete(pid);
  }

  async #restart(part: OwnPart, away: number): Promise<void> {
    const program = this.site[part];
    assert.equal(await program.stop(), 0, `the exit code of a ${part} that was asked to stop:\n${lastLines(program)}`);
    await delay(away);
    await this.#start(part);
  }

  /** At the same time, as after a power cut. */
  async #startAgain(parts: readonly Part[]): Promise<void> {
    await Promise.all(parts.filter((part) => part !== 'nats').map((part) => this.#start(part)));
  }

  async #start(part: OwnPart): Promise<void> {
    await (part === 'edge' ? this.site.startEdge() : this.site.startHub());
    this.#note(part);
  }

  #note(part: OwnPart): void {
    this.lives.push({ part, program: this.site[part], memory: [] });
  }

  async #pidOf(part: Part): Promise<number> {
    return part === 'nats' ? this.#natsPid() : this.site[part].pid;
  }

  /** Waits for the hub to have started another one, where one was killed just now. */
  async #natsPid(): Promise<number> {
    return waitUntil(
      'a nats-server that runs',
      async () => {
        const pid = await this.site.natsServerPid();
        return isAlive(pid) && pid;
      },
      30_000,
    );
  }

  #pidsOf(part: OwnPart): readonly number[] {
    return processesNaming(`skerry.js ${part} --data-dir ${this.site.dir}`).map((line) => Number.parseInt(line, 10));
  }
}

function residentMegabytes(pid: number): number | undefined {
  try {
    const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return line === null ? undefined : Math.round(Number(line[1]) / 1024);
  } catch {
    // It has ended.
    return undefined;
  }
}

const lastLines = (program: Program): string => program.log().split('\n').slice(-40).join('\n');
