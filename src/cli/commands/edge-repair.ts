import type { Command } from 'commander';
import { repairNode, type RepairReport } from '../../edge/repair-node.ts';
import { flagSetting, requiredSetting, settingsOf } from '../options.ts';
import { printJson, printLine } from '../output.ts';
import { EDGE_REPAIR_OPTIONS } from './option-tables.ts';

/** What a table holds, for people. */
const CONTENTS: Readonly<Record<string, string>> = {
  twin: 'twins',
  outbox: 'facts for the cloud, with those it has already',
  chain: 'positions in the stream',
  object: 'devices that the hub wants here',
  seen: 'records that tell resends',
  session: 'records of MQTT sessions',
};

export async function runEdgeRepair(command: Command): Promise<number> {
  const settings = await settingsOf(command, EDGE_REPAIR_OPTIONS);
  const dataDir = requiredSetting(settings, 'data-dir', 'the data directory of the edge node');
  const report = await repairNode(dataDir, { newTerm: flagSetting(settings, 'new-term') });
  if (settings['output'] === 'json') printJson(report);
  else for (const line of linesOf(report)) printLine(line);
  return 0;
}

function linesOf({ dataDir, isSound, damage, tables, keptAside, isNewTerm }: RepairReport): readonly string[] {
  const takesOver = isNewTerm ? ['its next connection takes the node’s name over from whoever holds it'] : [];
  if (isSound) return [`the store in ${dataDir} is sound; nothing was repaired`, ...takesOver];
  const rows = Object.entries(tables).map(([name, { kept, lost }]) => {
    const row = `${name.padEnd(12)}${String(kept).padStart(9)}${String(lost).padStart(12)}  ${CONTENTS[name] ?? ''}`;
    return row.trimEnd();
  });
  return [
    `the store in ${dataDir} was damaged and is repaired:`,
    ...damage.map((each) => `  ${each}`),
    ...(keptAside === undefined ? [] : [`the damaged files are in ${keptAside}`]),
    `${'table'.padEnd(12)}${'kept'.padStart(9)}${'unreadable'.padStart(12)}`,
    ...rows,
    'facts that were acknowledged and not handed over yet may be missing; what the stream has is safe',
    ...takesOver,
  ];
}
