// What frozen subscribers cost the others: 1,000 messages/s to one subscriber that reads, alone and beside four that were stopped with
// SIGSTOP after they had subscribed to everything, in turn. `node dist/bench/broker/frozen.js`, after `npm run build`.
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
const FROZEN = [
  ['-q', '0'],
  ['-q', '1'],
  ['-q', '1', '-c', '-i', 'frozen-1'],
  ['-q', '2', '-c', '-i', 'frozen-2'],
];

async function freeze({ port }: RunningBroker, how: readonly string[]): Promise<ChildProcess> {
  const args = ['-h', '127.0.0.1', '-p', String(port), '-t', '#', '-d', ...how];
  const client = spawn('mosquitto_sub', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  for await (const chunk of client.stdout) if (String(chunk).includes('SUBACK')) break;
  client.kill('SIGSTOP');
  return client;
}

async function thaw(client: ChildProcess): Promise<void> {
  const exited = once(client, 'exit');
  client.kill('SIGKILL');
  await exited;
}

async function besideFrozen(generator: Generator, broker: RunningBroker): Promise<Result> {
  const frozen = await Promise.all(FROZEN.map((how) => freeze(broker, how)));
  try {
    return await generator.run(LOAD, broker);
  } finally {
    await Promise.all(frozen.map(thaw));
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
    const alone: Result[] = [];
    const beside: Result[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const broker = await start(await mkdtemp(join(dir, name)));
      alone.push(await generator.run(LOAD, broker));
      beside.push(await besideFrozen(generator, broker));
      await broker.stop();
    }
    rows.push({
      what: `${name}, 1000/s, beside four frozen`,
      figure: figureOf(beside),
      beside: `alone: ${figureOf(alone)}`,
    });
  }
} finally {
  generator.stop();
  await rm(dir, { recursive: true, force: true });
}
printRows('Frozen subscribers, QoS 1, 4 KiB', rows);
