// `skerry` as users run it: a process of its own, from the bundle. It is told to print JSON; its first line says where it serves.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { asObject, parseJson, type JsonObject } from '../../src/wire/json.ts';

export interface Program extends AsyncDisposable {
  readonly pid: number;
  readonly ready: JsonObject;
  text(field: string): string;
  /** Everything it logged. */
  log(): string;
  /** SIGTERM, and its exit code. */
  stop(): Promise<number | null>;
  kill(): Promise<void>;
  /** Its exit code, once it has ended by itself. */
  readonly exited: Promise<number | null>;
}

const BUNDLE = 'dist/bundle/skerry.js';

export interface ProgramStart {
  /** A command that executes the one that follows, as `ip netns exec NAME` does. */
  readonly prefix?: readonly string[];
  readonly nodeFlags?: readonly string[];
  readonly onSpawn?: (pid: number) => void;
}

/** Rejects with what it printed when it ends before it serves. */
export async function startProgram(
  args: readonly string[],
  { prefix = [], nodeFlags = [], onSpawn }: ProgramStart = {},
): Promise<Program> {
  const whole = [
    ...prefix,
    process.execPath,
    ...nodeFlags,
    BUNDLE,
    ...args,
    '--output',
    'json',
    '--log-level',
    'debug',
  ];
  const child = spawn(whole[0] ?? '', whole.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
  onSpawn?.(child.pid ?? -1);
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString('utf8')));
  const line = await firstLine(child);
  const ready = asObject(parseJson(line ?? ''));
  if (ready === undefined || 'error' in ready)
    throw new Error(`skerry ${args.join(' ')} did not start: ${line ?? ''}\n${log}`);
  const stop = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
    return child.exitCode;
  };
  return {
    pid: child.pid ?? -1,
    ready,
    text: (field) => {
      const value = ready[field];
      if (typeof value !== 'string')
        throw new Error(`the first line of skerry ${args[0] ?? ''} has no "${field}": ${line ?? ''}`);
      return value;
    },
    log: () => log,
    exited,
    stop: () => stop('SIGTERM'),
    kill: async () => {
      await stop('SIGKILL');
    },
    [Symbol.asyncDispose]: async () => {
      await stop('SIGTERM');
    },
  };
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command that ends by itself. */
export async function runProgram(args: readonly string[]): Promise<Finished> {
  const child = spawn(process.execPath, [BUNDLE, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  await once(child, 'close');
  return { code: child.exitCode, stdout, stderr };
}

async function firstLine(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    lines.once('line', resolve);
    child.once('exit', () => setImmediate(() => resolve(undefined)));
  });
}
