// The tables of bench/README.md.
import type { Load, Result } from './job.ts';

type Measured = readonly [Load, Readonly<Record<string, Result>>];

const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;
const nameOf = ({ qos, clean, size }: Load): string =>
  `QoS ${qos}${clean ? '' : ', sessions kept'}, ${size === 1024 ? '1 KB' : `${size} B`}`;
/** What a second of the broker's core achieves: the same whether the core was its own for the whole of the time or not. */
const perCoreSecond = ({ messagesPerSecond, brokerShare }: Result): number => messagesPerSecond / brokerShare;
const rate = ({ messagesPerSecond }: Result): string => Math.round(messagesPerSecond).toString();
const latency = ({ p50, p99 }: Result): string => `${p50.toFixed(2)} / ${p99.toFixed(2)}`;
const cpu = ({ brokerShare, generatorShare }: Result): string => `${percent(brokerShare)}, ${percent(generatorShare)}`;

function print(title: string, heads: readonly string[], rows: readonly (readonly string[])[]): void {
  console.log(`\n### ${title}\n\n| ${heads.join(' | ')} |\n|${heads.map(() => '---').join('|')}|`);
  for (const row of rows) console.log(`| ${row.join(' | ')} |`);
}

export function printTable(part: string, measured: readonly Measured[]): void {
  const heads = [
    'messages/s',
    'Skerry',
    'Aedes',
    'Mosquitto',
    'per core, to Aedes',
    'per core, to Mosquitto',
    'broker, generator: share of a core',
  ];
  print(
    `${title(part, measured)}: messages/s, saturated`,
    heads,
    measured.map(([load, results]) => rateRow(load, results)),
  );
  const late = ['p50 / p99, ms', 'Skerry', 'Aedes', 'Mosquitto'];
  const { pace = 0 } = measured[0]?.[0] ?? {};
  print(
    `${title(part, measured)}: latency at ${pace} messages/s`,
    late,
    measured.map(([load, results]) => latencyRow(load, results)),
  );
  for (const [load, results] of measured)
    for (const [name, { missing }] of Object.entries(results))
      if (missing > 0) console.log(`\n${name}, ${nameOf(load)}: ${missing} messages did not arrive in time.`);
}

function rateRow(load: Load, results: Readonly<Record<string, Result>>): string[] {
  const { skerry, aedes, mosquitto } = results as Record<'skerry' | 'aedes' | 'mosquitto', Result>;
  const times = (other: Result): string => (perCoreSecond(skerry) / perCoreSecond(other)).toFixed(2);
  const shares = [skerry, aedes, mosquitto].map(cpu).join('; ');
  return [nameOf(load), rate(skerry), rate(aedes), rate(mosquitto), times(aedes), times(mosquitto), shares];
}

function latencyRow(load: Load, results: Readonly<Record<string, Result>>): string[] {
  const { skerry, aedes, mosquitto } = results as Record<'skerry' | 'aedes' | 'mosquitto', Result>;
  return [nameOf(load), latency(skerry), latency(aedes), latency(mosquitto)];
}

export function printCeiling(part: string, measured: readonly Measured[]): void {
  const heads = ['messages/s', 'one write per chunk', 'one write per packet', 'server, generator: share of a core'];
  const rows = measured.map(([load, results]) => {
    const { relay, 'packet relay': packet } = results as Record<'relay' | 'packet relay', Result>;
    return [nameOf(load), rate(relay), rate(packet), [relay, packet].map(cpu).join('; ')];
  });
  print(`${title(part, measured)}: Node's sockets alone`, heads, rows);
}

function title(part: string, measured: readonly Measured[]): string {
  const { publishers = 0, subscribers = 0 } = measured[0]?.[0] ?? {};
  return `${part === 'fan-in' ? 'Fan-in' : 'Fan-out'}, ${publishers} to ${subscribers}`;
}
