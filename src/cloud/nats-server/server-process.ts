// One running nats-server: started by us, or found running after a crash of the hub and taken over. Its life is watched through
// /proc either way, because a server that was taken over is nobody's child.
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { basename } from 'node:path';
import type { Deadline } from '../../kit/deadline.ts';
import { codeOf } from '../../kit/errors.ts';
import { sleep } from '../../kit/sleep.ts';
import { ms, seconds } from '../../kit/units.ts';
import { parseJson, asObject } from '../../wire/json.ts';
import { commandLineOf, sendSignal } from '../processes.ts';
import { writePrivateFile } from '../private-files.ts';
import { natsServerErrors } from './errors.ts';
import type { ServerFiles, ServerShape } from './server-config.ts';

const LOOK_EVERY = ms(100);
const START_TIMEOUT = seconds(15);
const NEVER = new AbortController().signal;

export class ServerProcess {
  readonly pid: number;
  readonly #configFile: string;

  private constructor(pid: number, configFile: string) {
    this.pid = pid;
    this.#configFile = configFile;
  }

  /** The server that the pid file names, if it lives and runs on our configuration file. */
  static async running(files: ServerFiles): Promise<ServerProcess | undefined> {
    const pid = Number(await readFile(files.pid, 'utf8').catch(() => ''));
    if (!Number.isSafeInteger(pid) || pid <= 1) return undefined;
    const found = new ServerProcess(pid, files.config);
    return found.isAlive() ? found : undefined;
  }

  /** In a process group of its own: Ctrl-C in the terminal reaches the hub, which stops the server in its order. */
  static async spawn(program: string, files: ServerFiles): Promise<ServerProcess> {
    const child = spawn(program, ['-c', files.config], { detached: true, stdio: 'ignore' });
    const pid = await new Promise<number>((resolve, reject) => {
      child.once('spawn', () => resolve(child.pid ?? -1));
      child.once('error', (error) =>
        reject(codeOf(error) === 'ENOENT' ? natsServerErrors.NATS_SERVER_MISSING({}, error) : error),
      );
    });
    child.unref();
    // The server writes the same file a little later; a hub that dies in between must not start a second one.
    await writePrivateFile(files.pid, String(pid));
    return new ServerProcess(pid, files.config);
  }

  isAlive(): boolean {
    const command = commandLineOf(this.pid);
    return command !== undefined && basename(command[0] ?? '') === 'nats-server' && command.includes(this.#configFile);
  }

  /** Resolves when the process is gone, or the signal aborts. */
  async exited(signal: AbortSignal): Promise<'exited' | 'aborted'> {
    while (this.isAlive()) if ((await sleep(LOOK_EVERY, signal)) === 'aborted') return 'aborted';
    return 'exited';
  }

  /** SIGTERM, and SIGKILL when the deadline comes first. */
  async end(deadline: Deadline): Promise<void> {
    if (!this.isAlive()) return;
    sendSignal(this.pid, 'SIGTERM');
    const gone = await deadline.wait(
      this.exited(NEVER).then(() => true),
      false,
    );
    if (gone) return;
    sendSignal(this.pid, 'SIGKILL');
    await this.exited(AbortSignal.timeout(seconds(2)));
  }

  /** Resolves when this very server answers at its address. Rejects with NATS_SERVER_NOT_READY when it ends or stays silent. */
  async ready(shape: ServerShape, signal: AbortSignal): Promise<void> {
    const until = performance.now() + START_TIMEOUT;
    while (performance.now() < until && !signal.aborted) {
      if ((await serverNameAt(shape.host, shape.port)) === shape.name) return;
      if (!this.isAlive()) break;
      await sleep(ms(15), signal);
    }
    signal.throwIfAborted();
    const reason = this.isAlive() ? 'it does not answer' : await lastWords(shape.files.log);
    throw natsServerErrors.NATS_SERVER_NOT_READY({ log: shape.files.log, reason });
  }
}

/** The name in the INFO line with which a nats-server greets. */
async function serverNameAt(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (name: string | undefined): void => {
      socket.destroy();
      resolve(name);
    };
    let text = '';
    socket.setEncoding('utf8');
    socket.setTimeout(seconds(2), () => done(undefined));
    socket.on('error', () => done(undefined));
    socket.on('close', () => resolve(undefined));
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (!text.includes('\r\n')) return;
      const name = asObject(parseJson(text.slice('INFO '.length, text.indexOf('\r\n'))))?.['server_name'];
      done(typeof name === 'string' ? name : undefined);
    });
  });
}

async function lastWords(log: string): Promise<string> {
  const text = await readFile(log, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').at(-1) ?? 'it said nothing';
}
