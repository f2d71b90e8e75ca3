// What a run found, in words and as JSON. Pure.
import type { Findings } from './device-tally.ts';
import type { Victim } from './fault-schedule.ts';

export interface ChaosReport {
  /** Publications whose PUBACK came. */
  readonly acknowledged: number;
  readonly lost: number;
  readonly doubled: number;
  readonly disordered: number;
  /** In the stream, and never published. */
  readonly invented: number;
  /** Devices whose status did not reach the newest number in the stream. */
  readonly stale: number;
  /** Times that a status was seen going backwards. */
  readonly backwards: number;
  /** Ends of a process that nobody had killed. */
  readonly crashes: number;
  /** Changes that edge nodes dropped within their limits, and said so in the stream: not lost. */
  readonly gaps: number;
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

const FAULTS = ['lost', 'doubled', 'disordered', 'invented', 'stale', 'backwards', 'crashes'] as const;

export function isClean(report: ChaosReport): boolean {
  return FAULTS.every((fault) => report[fault] === 0);
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
  const { acknowledged, published, rate, seed, kills, partitions, droppedAcks, seconds, drainSeconds } = report;
  const made = [
    ...Object.entries(kills).map(([victim, count]) => `${victim} killed ${count}×`),
    `${partitions} cuts of links`,
    `${droppedAcks} acknowledgements of NATS dropped`,
    ...(report.gaps === 0 ? [] : [`${report.gaps} changes named by gap markers`]),
  ];
  return [
    '',
    `  acknowledged ${acknowledged} of ${published} publications, ${rate} a second; seed ${seed}`,
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
  stale: 'devices whose status did not reach the newest value',
  backwards: 'times that a status went back',
  crashes: 'processes that ended by themselves',
};
