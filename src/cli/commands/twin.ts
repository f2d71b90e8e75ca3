import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { isAbort } from '../../kit/errors.ts';
import { deviceNamed } from '../device-name.ts';
import { cliErrors } from '../errors.ts';
import { requiredSetting, settingsOf, textSetting, type Settings } from '../options.ts';
import { printJson, printLine } from '../output.ts';
import { EdgeTwins } from '../twin/edge-twins.ts';
import { KubernetesTwins } from '../twin/kubernetes-twins.ts';
import type { ShownTwin, TwinSource } from '../twin/twin-source.ts';
import { TWIN_OPTIONS } from './option-tables.ts';

export async function runTwinGet(command: Command, device: string): Promise<number> {
  return withTwins(command, async (twins, settings) => {
    show(await twins.get(deviceNamed('the device', device)), settings);
  });
}

export async function runTwinWatch(command: Command, device: string): Promise<number> {
  return withTwins(command, async (twins, settings) => {
    const abort = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => abort.abort());
    await twins
      .watch(deviceNamed('the device', device), (twin) => show(twin, settings), abort.signal)
      .catch((error: unknown) => {
        if (!isAbort(error)) throw error;
      });
  });
}

export async function runTwinSet(command: Command, device: string, assignment: string): Promise<number> {
  const cut = assignment.indexOf('=');
  if (cut < 1)
    throw cliErrors.OPTION_INVALID({
      option: 'the assignment',
      value: assignment,
      expected: 'PROPERTY=VALUE, such as status=OFF',
    });
  const property = assignment.slice(0, cut);
  const value = assignment.slice(cut + 1);
  return withTwins(command, async (twins, settings) => {
    await twins.setDesired(deviceNamed('the device', device), property, value);
    if (settings['output'] === 'json') printJson({ device, property, desired: value });
    else printLine(`${device}: ${property} is desired to be ${value}`);
  });
}

async function withTwins(
  command: Command,
  use: (twins: TwinSource, settings: Settings) => Promise<void>,
): Promise<number> {
  const settings = await settingsOf(command, TWIN_OPTIONS);
  const twins = sourceOf(settings);
  try {
    await use(twins, settings);
    return 0;
  } finally {
    twins.close();
  }
}

function sourceOf(settings: Settings): TwinSource {
  const edge = textSetting(settings, 'edge');
  if (edge !== undefined) return new EdgeTwins(edge);
  const named = textSetting(settings, 'kubeconfig');
  if (named !== undefined) return new KubernetesTwins(named);
  const dataDir = requiredSetting(settings, 'data-dir', 'of the hub or demo to ask');
  const file = join(dataDir, 'kubeconfig');
  if (!existsSync(file)) throw cliErrors.DATA_DIR_EMPTY({ dataDir, file });
  return new KubernetesTwins(file);
}

function show(twin: ShownTwin, settings: Settings): void {
  if (settings['output'] === 'json') printJson(twin);
  else for (const line of twinLines(twin)) printLine(line);
}

function twinLines({ device, state, properties }: ShownTwin): readonly string[] {
  const rows = properties.map(({ property, desired, reported }) => [property, desired ?? '-', reported ?? '-']);
  const table = [['PROPERTY', 'DESIRED', 'REPORTED'], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => (row[column] ?? '').length)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [`${device}  ${state ?? 'state unknown'}`, ...lines];
}
