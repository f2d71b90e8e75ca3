// The two brokers that are asked: ours, with its sessions in a storage, and Debian's Mosquitto. A fresh one for every behaviour,
// so that none finds what another left.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startBroker } from '../integration/broker/running-broker.ts';
import { MemorySessions } from '../support/memory-sessions.ts';
import { tempDir } from '../support/temp-dir.ts';

export interface BrokerUnderTest extends AsyncDisposable {
  readonly port: number;
  readonly wsPort: number;
}

export async function startOurs(): Promise<BrokerUnderTest> {
  const running = await startBroker({}, 0, new MemorySessions());
  return {
    port: running.port,
    wsPort: Number(new URL(running.wsUrl).port),
    [Symbol.asyncDispose]: () => running.stop(),
  };
}

const ATTEMPTS = 5;

/** It cannot be told to take any free port, so it is given one that was free a moment ago; should it be taken, another. */
export async function startMosquitto(): Promise<BrokerUnderTest> {
  const dir = await tempDir();
  for (let attempt = 1; ; attempt += 1) {
    const [port, wsPort] = await freePorts();
    const config = join(dir.path, 'mosquitto.conf');
    await writeFile(config, configOf(port, wsPort));
    const child = spawn('mosquitto', ['-c', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    const failure = await runningOrFailure(child);
    if (failure === undefined) return { port, wsPort, [Symbol.asyncDispose]: () => end(child, dir) };
    if (attempt === ATTEMPTS) throw new Error(`mosquitto does not start: ${failure}`);
  }
}

const configOf = (port: number, wsPort: number): string => `
user root
allow_anonymous true
persistence false
log_dest stderr
listener ${port} 127.0.0.1
listener ${wsPort} 127.0.0.1
protocol websockets
`;

/** It says that it runs once it listens. */
function runningOrFailure(child: ChildProcess): Promise<string | undefined> {
  let log = '';
  return new Promise((resolve) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      if (/mosquitto version \S+ running/.test(log)) resolve(undefined);
    });
    child.once('error', (error) => resolve(error.message));
    child.once('exit', () => resolve(log));
  });
}

async function end(child: ChildProcess, dir: AsyncDisposable): Promise<void> {
  const exited = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
  child.kill('SIGKILL');
  await exited;
  await dir[Symbol.asyncDispose]();
}

async function freePorts(): Promise<readonly [number, number]> {
  const servers = [createServer(), createServer()] as const;
  const ports: number[] = [];
  for (const server of servers) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ports.push((server.address() as AddressInfo).port);
  }
  for (const server of servers) {
    server.close();
    await once(server, 'close');
  }
  return [ports[0] ?? 0, ports[1] ?? 0];
}
