// What a run found, in words and as JSON. Pure.
import type { Findings, Published } from './device-tally.ts';
import type { Victim } from './fault-schedule.ts';

export interface ChaosReport {
  /** Publications whose PUBACK came. */
  readonly acknowledged: number;
  /** Of the device that was acknowledged least. */
  readonly leastAcknowledged: number;
  readonly lost: number;
  readonly doubled: number;
  readonly disordered: number;
  /** In the stream, and never published. */
  readonly invented: number;
  /** Changes that edge nodes dropped, and said so in the stream: not lost, but nothing in a run gives them a reason to. */
  readonly gaps: number;
  /** Devices of which nothing was acknowledged: nothing was asked of them. */
  readonly silent: number;
  /** Devices whose status did not reach the newest number in the stream. */
  readonly stale: number;
  /** Devices whose status was never seen, or not until the end, so that nobody knows whether it went backwards. */
  readonly unwatched: number;
  /** Times that a status was seen going backwards. */
  readonly backwards: number;
  /** Ends of a process that nobody had killed. */
  readonly crashes: number;
  /** In the stream although the acknowledgement never came. */
  readonly unacknowledgedStored: number;
  readonly published: number;
  /** Publications a second that were reached while faults were made. */
  readonly rate: number;
  readonly seed: number;
  readonly kills: Readonly<Record<Victim, number>>;
  readonly partitions: number;
  readonly droppedAcks: number;
  /** From the first publication to the comparison. */
  readonly seconds: number;
  /** Of that, waiting for what was under way. */
  readonly drainSeconds: number;
  /** The first few of what is wrong, as sentences. */
  readonly examples: readonly string[];
}

export const FAULTS = [
  ...(['lost', 'doubled', 'disordered', 'invented', 'gaps'] as const),
  ...(['silent', 'stale', 'unwatched', 'backwards', 'crashes'] as const),
] as const;

export function isClean(report: ChaosReport): boolean {
  return FAULTS.every((fault) => report[fault] === 0);
}

/** What the devices were told, all together; a run in which one was told nothing proves nothing about it. */
export function saidTo(
  published: ReadonlyMap<string, Published>,
): Pick<ChaosReport, 'acknowledged' | 'leastAcknowledged' | 'silent'> {
  const sizes = [...published.values()].map(({ acknowledged }) => acknowledged.size);
  return {
    acknowledged: sizes.reduce((sum, size) => sum + size, 0),
    leastAcknowledged: sizes.reduce((least, size) => Math.min(least, size), sizes[0] ?? 0),
    silent: sizes.filter((size) => size === 0).length,
  };
}

export type Counts = Pick<
  ChaosReport,
  'lost' | 'doubled' | 'disordered' | 'invented' | 'gaps' | 'unacknowledgedStored' | 'examples'
>;

const MOST_EXAMPLES = 20;

/** Of all devices together. */
export function sumOf(findings: ReadonlyMap<string, Findings>): Counts {
  const sum = (field: Exclude<keyof Findings, 'examples'>): number =>
    [...findings.values()].reduce((total, each) => total + each[field], 0);
  const examples = [...findings].flatMap(([device, each]) => each.examples.map((sentence) => `${device}: ${sentence}`));
  return {
    lost: sum('lost'),
    doubled: sum('doubled'),
    disordered: sum('disordered'),
    invented: sum('invented'),
    gaps: sum('gaps'),
    unacknowledgedStored: sum('unacknowledgedStored'),
    examples: examples.slice(0, MOST_EXAMPLES),
  };
}

export function reportLines(report: ChaosReport): readonly string[] {
  const {
    acknowledged,
    leastAcknowledged,
    published,
    rate,
    seed,
    kills,
    partitions,
    droppedAcks,
    seconds,
    drainSeconds,
  } = report;
  const made = [
    ...Object.entries(kills).map(([victim, count]) => `${victim} killed ${count}×`),
    `${partitions} cuts of links`,
    `${droppedAcks} acknowledgements of NATS dropped`,
  ];
  return [
    '',
    `  acknowledged ${acknowledged} of ${published} publications, at least ${leastAcknowledged} of each device, ${rate} a second; seed ${seed}`,
    `  ${made.join(', ')}; ${seconds} s, of which ${drainSeconds} s to drain`,
    '',
    ...FAULTS.map((fault) => `  ${fault.padEnd(12)}${String(report[fault]).padStart(8)}   ${MEANING[fault]}`),
    ...(report.examples.length === 0 ? [] : ['', ...report.examples.map((sentence) => `  ${sentence}`)]),
    '',
  ];
}

const MEANING: Readonly<Record<(typeof FAULTS)[number], string>> = {
  lost: 'acknowledged, and not in the stream',
  doubled: 'in the stream more than once',
  disordered: 'in the stream after a later one of the same device',
  invented: 'in the stream, and never published',
  gaps: 'changes that an edge node dropped and named in a gap marker',
  silent: 'devices of which nothing was acknowledged',
  stale: 'devices whose status did not reach the newest value',
  unwatched: 'devices whose status was not seen until the end',
  backwards: 'times that a status went back',
  crashes: 'processes that ended by themselves',
};
