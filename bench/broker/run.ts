// The broker beside bare Aedes and Mosquitto under the same load, in interleaved rounds of one run: `npm run bench:broker`, after
// `npm run build`. A part's name runs that one alone: fan-in, fan-out. BENCH_ROUNDS=1 is a quick look.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { median } from '../table.ts';
import {
  startAedes,
  startMosquitto,
  startPacketRelay,
  startRelay,
  startSkerry,
  type RunningBroker,
  type StartBroker,
} from './brokers.ts';
import { Generator } from './generator-process.ts';
import type { Load, Result } from './job.ts';
import { printCeiling, printTable } from './report.ts';

const COMPARED: Readonly<Record<string, StartBroker>> = {
  skerry: startSkerry,
  aedes: startAedes,
  mosquitto: startMosquitto,
};
const CEILING: Readonly<Record<string, StartBroker>> = { relay: startRelay, 'packet relay': startPacketRelay };

type Results = Record<string, readonly Result[]>;

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3);
const TIMES = { warmUpMs: 400, saturatedMs: 1200, pacedMs: 800 };
const SHAPES = {
  'fan-in': { publishers: 50, subscribers: 1, window: 20, pace: 2000 },
  'fan-out': { publishers: 1, subscribers: 100, window: 20, pace: 50 },
} as const;
const SESSIONS = [
  { qos: 0, clean: true },
  { qos: 1, clean: true },
  { qos: 1, clean: false },
  { qos: 2, clean: true },
] as const;

function loadsOf(shape: keyof typeof SHAPES): Load[] {
  return SESSIONS.flatMap(({ qos, clean }) =>
    (qos === 2 ? [100] : [100, 1024]).map((size) => ({ ...SHAPES[shape], ...TIMES, qos, clean, size })),
  );
}

/** Every broker meets each load in turn, again and again, so that what else the machine does meets all of them. */
async function compare(
  loads: readonly Load[],
  rounds: number,
  { brokers, generator }: { readonly brokers: ReadonlyMap<string, RunningBroker>; readonly generator: Generator },
): Promise<Map<Load, Results>> {
  const all = new Map<Load, Record<string, Result[]>>(loads.map((load) => [load, {}]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [load, results] of all)
      for (const [name, broker] of brokers) (results[name] ??= []).push(await generator.run(load, broker));
  }
  return all;
}

/** The middle of the rounds, figure by figure. */
function middle(results: readonly Result[]): Result {
  const of = (figure: keyof Result): number => median(results.map((result) => result[figure]));
  return {
    messagesPerSecond: of('messagesPerSecond'),
    brokerShare: of('brokerShare'),
    generatorShare: of('generatorShare'),
    p50: of('p50'),
    p99: of('p99'),
    missing: Math.max(...results.map(({ missing }) => missing)),
  };
}

async function startAll(
  starts: Readonly<Record<string, StartBroker>>,
  dir: string,
): Promise<Map<string, RunningBroker>> {
  const brokers = new Map<string, RunningBroker>();
  for (const [name, start] of Object.entries(starts)) {
    const own = join(dir, name.replace(' ', '-'));
    await mkdir(own);
    brokers.set(name, await start(own));
  }
  return brokers;
}

const asked = process.argv.slice(2);
for (const part of asked)
  if (!(part in SHAPES)) throw new Error(`there is no part "${part}"; there are ${Object.keys(SHAPES).join(', ')}`);
const parts = (asked.length > 0 ? asked : Object.keys(SHAPES)) as (keyof typeof SHAPES)[];

const processor = cpus()[0]?.model ?? 'unknown processor';
console.log(`${cpus().length} cores (${processor}), Node ${process.version}, ${ROUNDS} rounds`);
const dir = await mkdtemp(join(tmpdir(), 'skerry-bench-broker-'));
const generator = new Generator();
const brokers = await startAll(COMPARED, dir);
const ceiling = await startAll(CEILING, dir);
try {
  for (const part of parts) {
    const loads = loadsOf(part);
    const compared = await compare(loads, ROUNDS, { brokers, generator });
    printTable(
      part,
      [...compared].map(([load, results]) => [load, mapValues(results, middle)] as const),
    );
    const most = await compare(
      loads.filter(({ clean, qos }) => clean && qos < 2),
      1,
      { brokers: ceiling, generator },
    );
    printCeiling(
      part,
      [...most].map(([load, results]) => [load, mapValues(results, middle)] as const),
    );
  }
} finally {
  generator.stop();
  await Promise.all([...brokers.values(), ...ceiling.values()].map((broker) => broker.stop()));
  await rm(dir, { recursive: true });
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
