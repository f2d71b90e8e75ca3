// A real nats-server with JetStream for one test: a free port, a store of its own, stopped by pid.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'nats';
import { waitUntil } from './wait-until.ts';

export interface NatsUser {
  readonly user: string;
  readonly password: string;
  readonly permissions?: { readonly publish: readonly string[]; readonly subscribe: readonly string[] };
}

export interface TestNats extends AsyncDisposable {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly pid: number;
  /** The folder of its streams. */
  readonly store: string;
  /** SIGKILL; the store stays. */
  kill(): Promise<void>;
  /** Starts again on the same port and store. */
  restart(): Promise<void>;
  /** From now on no message may be larger: of a server that runs, and of one that is started again. */
  limitPayload(bytes: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startNats(nodeUsers: readonly NatsUser[] = []): Promise<TestNats> {
  const dir = await mkdtemp(join(tmpdir(), 'skerry-nats-'));
  const owner = { user: 'hub', password: 'hub-password' };
  let port = -1;
  const file = join(dir, 'nats.conf');
  let maxPayload = 1024 * 1024;
  let child: ChildProcess | undefined;

  const isRunning = (): boolean => child?.exitCode === null && child.signalCode === null;

  const configure = (): Promise<void> => writeFile(file, configText(dir, [owner, ...nodeUsers], { port, maxPayload }));

  async function launch(): Promise<void> {
    await configure();
    const started = spawn('nats-server', ['-c', file], { stdio: 'ignore' });
    child = started;
    port = await waitUntil('nats-server to write its ports file', () => portOf(dir, started.pid));
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const ending = child;
    if (ending === undefined || !isRunning()) return;
    const exited = once(ending, 'exit');
    ending.kill(signal);
    await exited;
  }

  async function limitPayload(bytes: number): Promise<void> {
    maxPayload = bytes;
    await configure();
    if (!isRunning()) return;
    child?.kill('SIGHUP');
    await waitUntil('nats-server to take its new limit', async () => {
      const connection = await connect({ port, user: owner.user, pass: owner.password });
      const taken = connection.info?.max_payload === bytes;
      await connection.close();
      return taken;
    });
  }

  await launch();
  const stop = async (): Promise<void> => {
    await end('SIGTERM');
    await rm(dir, { recursive: true, force: true });
  };
  return {
    ...owner,
    store: join(dir, 'store'),
    url: `nats://127.0.0.1:${port}`,
    get pid() {
      return child?.pid ?? -1;
    },
    kill: () => end('SIGKILL'),
    restart: launch,
    limitPayload,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function portOf(dir: string, pid: number | undefined): Promise<number | undefined> {
  const name = (await readdir(dir)).find((entry) => entry === `nats-server_${pid}.ports`);
  if (name === undefined) return undefined;
  const ports = JSON.parse(await readFile(join(dir, name), 'utf8')) as { nats: string[] };
  return Number(new URL(ports.nats[0] ?? '').port);
}

function configText(
  dir: string,
  users: readonly NatsUser[],
  { port, maxPayload }: { readonly port: number; readonly maxPayload: number },
): string {
  const text = (value: unknown): string => JSON.stringify(value);
  const lines = users.map(({ user, password, permissions }) => {
    const limits = permissions === undefined ? '' : `, permissions: ${text(permissions)}`;
    return `    { user: ${text(user)}, password: ${text(password)}${limits} }`;
  });
  return [
    `listen: "127.0.0.1:${port}"`,
    `max_payload: ${maxPayload}`,
    `ports_file_dir: ${text(dir)}`,
    `jetstream { store_dir: ${text(join(dir, 'store'))} }`,
    `authorization { users: [`,
    lines.join('\n'),
    `] }`,
  ].join('\n');
}
