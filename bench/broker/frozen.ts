// What frozen subscribers cost the others: 1,000 messages/s to one subscriber, beside four more that subscribed to everything, and in
// turn beside the same four, stopped with SIGSTOP. `node dist/bench/broker/frozen.js`, after `npm run build`.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median, printRows } from '../table.ts';
import { startMosquitto, startSkerry, type RunningBroker, type StartBroker } from './brokers.ts';
import { Generator } from './generator-process.ts';
import type { Load, Result } from './job.ts';

const COMPARED: Readonly<Record<string, StartBroker>> = { skerry: startSkerry, mosquitto: startMosquitto };
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3);
/** Long enough for what the kernel takes to be full, and for the ten seconds after which Skerry cuts. */
const LOAD: Load = {
  ...{ publishers: 10, subscribers: 1, qos: 1, clean: true, size: 4096, window: 0 },
  ...{ warmUpMs: 0, saturatedMs: 1, pace: 1000, pacedMs: 20_000 },
};

/** At QoS 0, 1 and 2, with and without a session. */
const COMPANY = [
  ['-q', '0'],
  ['-q', '1'],
  ['-q', '1', '-c', '-i', 'frozen-1'],
  ['-q', '2', '-c', '-i', 'frozen-2'],
];

async function subscribe({ port }: RunningBroker, how: readonly string[]): Promise<ChildProcess> {
  // Unbuffered, so that it is seen when it has subscribed.
  const args = ['-oL', 'mosquitto_sub', '-h', '127.0.0.1', '-p', String(port), '-t', '#', '-d', '-F', 'x', ...how];
  const client = spawn('stdbuf', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  await new Promise<void>((resolve) => {
    client.stdout.on('data', (chunk) => {
      if (String(chunk).includes('SUBACK')) resolve();
    });
  });
  return client;
}

async function end(client: ChildProcess): Promise<void> {
  const exited = once(client, 'exit');
  client.kill('SIGKILL');
  await exited;
}

async function beside(generator: Generator, broker: RunningBroker, areFrozen: boolean): Promise<Result> {
  const company = await Promise.all(COMPANY.map((how) => subscribe(broker, how)));
  if (areFrozen) for (const client of company) client.kill('SIGSTOP');
  try {
    return await generator.run(LOAD, broker);
  } finally {
    await Promise.all(company.map(end));
  }
}

const figureOf = (results: readonly Result[]): string =>
  `p50 ${median(results.map(({ p50 }) => p50)).toFixed(2)} ms, p99 ${median(results.map(({ p99 }) => p99)).toFixed(2)} ms, ` +
  `${results.reduce((sum, { missing }) => sum + missing, 0)} missing`;

const dir = await mkdtemp(join(tmpdir(), 'skerry-frozen-'));
const generator = new Generator();
const rows = [];
try {
  for (const [name, start] of Object.entries(COMPARED)) {
    const reading: Result[] = [];
    const frozen: Result[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const broker = await start(await mkdtemp(join(dir, name)));
      reading.push(await beside(generator, broker, false));
      frozen.push(await beside(generator, broker, true));
      await broker.stop();
    }
    rows.push({
      what: `${name}, 1000/s, beside four frozen`,
      figure: figureOf(frozen),
      beside: `the four read: ${figureOf(reading)}`,
    });
  }
} finally {
  generator.stop();
  await rm(dir, { recursive: true, force: true });
}
printRows('Frozen subscribers, QoS 1, 4 KiB', rows);
