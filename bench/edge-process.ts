// What a person sees of the edge process: how soon it serves, and how much memory it holds while nothing happens.
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startProgram, type Program } from '../tests/support/program.ts';
import { median, percentile, printRows } from './table.ts';

const STARTS = 10;
const IDLE_SECONDS = 20;

export async function benchEdgeProcess(): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'skerry-bench-'));
  const credentials = join(dir, 'credentials.json');
  // Nobody listens there: starting, and being idle, must not need the cloud.
  await writeFile(
    credentials,
    JSON.stringify({ node: 'bench', nats: { url: 'nats://127.0.0.1:9', user: 'u', password: 'p' } }),
    { mode: 0o600 },
  );
  const start = (): Promise<Program> =>
    startProgram([
      'edge',
      '--data-dir',
      join(dir, 'edge'),
      '--credentials',
      credentials,
      '--mqtt',
      '127.0.0.1:0',
      '--mqtt-ws',
      'off',
      '--http',
      '127.0.0.1:0',
    ]);

  const times: number[] = [];
  for (let count = 0; count < STARTS; count += 1) times.push(await timeToConnack(start));
  const bareTimes: number[] = [];
  for (let count = 0; count < STARTS; count += 1) bareTimes.push(await timeOfBareNode());

  await using edge = await start();
  await delay(IDLE_SECONDS * 1000);
  const resident = await residentMegabytes(edge.pid);
  const bare = await residentOfBareNode();
  printRows('The edge process, from the bundle', [
    {
      what: `from \`skerry edge\` to the CONNACK of a first client, ${STARTS} starts`,
      figure: `${median(times).toFixed(0)} ms (worst ${percentile(times, 1).toFixed(0)} ms)`,
      beside: `bare \`node -e 0\`, from start to end: ${median(bareTimes).toFixed(0)} ms`,
    },
    {
      what: `resident memory, broker included, idle for ${IDLE_SECONDS} s`,
      figure: `${resident.toFixed(0)} MB`,
      beside: `bare \`node\`: ${bare.toFixed(0)} MB`,
    },
  ]);
  await edge.stop();
  await rm(dir, { recursive: true });
}

async function timeToConnack(start: () => Promise<Program>): Promise<number> {
  const begun = performance.now();
  const edge = await start();
  const { hostname, port } = new URL(edge.text('mqtt').replace('mqtt:', 'http:'));
  const socket = connect(Number(port), hostname);
  // MQTT 3.1.1 CONNECT, clean session, client id "b".
  socket.write(Buffer.from([0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, 1, 0x62]));
  await once(socket, 'data');
  const elapsed = performance.now() - begun;
  socket.destroy();
  await edge.stop();
  return elapsed;
}

async function timeOfBareNode(): Promise<number> {
  const begun = performance.now();
  await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit');
  return performance.now() - begun;
}

async function residentOfBareNode(): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  await delay(2000);
  const resident = await residentMegabytes(child.pid ?? -1);
  child.kill();
  return resident;
}

export async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}
