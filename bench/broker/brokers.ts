// The brokers that are compared, each a process of its own on one core, started as their users start them.
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startProgram } from '../../tests/support/program.ts';

export interface RunningBroker {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

export type StartBroker = (dir: string) => Promise<RunningBroker>;

const hasTaskset = existsSync('/usr/bin/taskset') && cpus().length > 1;

/** A command that keeps the one behind it on one core: brokers on the first, the generator on the second. */
export const pinned = (core: 0 | 1): readonly string[] =>
  hasTaskset ? ['/usr/bin/taskset', '-c', core.toString()] : [];

/** `skerry edge` from the bundle, with a hub that is out of reach: its broker, its store, its own synced commits. */
export const startSkerry: StartBroker = async (dir) => {
  const credentials = join(dir, 'credentials.json');
  const nats = { url: 'nats://127.0.0.1:9', user: 'u', password: 'p' };
  await writeFile(credentials, JSON.stringify({ node: 'bench', nats }), { mode: 0o600 });
  const options = {
    'data-dir': join(dir, 'edge'),
    credentials,
    mqtt: '127.0.0.1:0',
    'mqtt-ws': 'off',
    http: '127.0.0.1:0',
  };
  const args = Object.entries(options).flatMap(([key, value]) => [`--${key}`, value]);
  const edge = await startProgram(['edge', ...args], { prefix: pinned(0) });
  const port = Number(new URL(edge.text('mqtt').replace('mqtt:', 'http:')).port);
  return { port, pid: edge.pid, stop: () => edge.kill() };
};

export const startAedes: StartBroker = () => startChild('./bare-aedes.js');
export const startRelay: StartBroker = () => startChild('./relay.js');
export const startPacketRelay: StartBroker = () => startChild('./relay.js', 'packet');

/** Debian's, with persistence, and without the limits on queues that would make it drop messages. */
export const startMosquitto: StartBroker = async (dir) => {
  const port = await freePort();
  const config = join(dir, 'mosquitto.conf');
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'persistence true',
    `persistence_location ${dir}/`,
    'max_inflight_messages 0',
    'max_queued_messages 0',
    'set_tcp_nodelay true',
    'log_type error',
    ...(process.getuid?.() === 0 ? ['user root'] : []),
  ];
  await writeFile(config, `${lines.join('\n')}\n`);
  const child = spawnAll([...pinned(0), '/usr/sbin/mosquitto', '-c', config], 'ignore');
  await reachable(port);
  return runningOf(child, port);
};

async function startChild(script: string, ...args: readonly string[]): Promise<RunningBroker> {
  const child = startScript(script, 0, ...args);
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return runningOf(child, port);
}

/** One of the scripts beside this file, on this core, with a channel to this process. */
export function startScript(script: string, core: 0 | 1, ...args: readonly string[]): ChildProcess {
  const path = fileURLToPath(new URL(script, import.meta.url));
  return spawnAll([...pinned(core), process.execPath, path, ...args], ['ignore', 'inherit', 'inherit', 'ipc']);
}

const spawnAll = ([command, ...args]: readonly string[], stdio: StdioOptions): ChildProcess =>
  spawn(command ?? '', args, { stdio });

function runningOf(child: ChildProcess, port: number): RunningBroker {
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  return { port, pid: child.pid ?? -1, stop };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function reachable(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'close').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (isOpen) return;
    await delay(50);
  }
  throw new Error(`nothing listens on port ${port}`);
}
