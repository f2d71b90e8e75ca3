import type { Command } from 'commander';
import { isAbort } from '../../kit/errors.ts';
import { deviceNamed } from '../device-name.ts';
import { cliErrors } from '../errors.ts';
import { settingsOf, textSetting, type Settings } from '../options.ts';
import { printJson, printLine } from '../output.ts';
import { tableLines, visible } from '../tables.ts';
import { sourceOf, withSource } from '../twin/sources.ts';
import type { ShownProperty, ShownTwin, TwinSource } from '../twin/twin-source.ts';
import { TWIN_GET_OPTIONS, TWIN_OPTIONS } from './option-tables.ts';
import { showTwinAt } from './twin-past.ts';

export async function runTwinGet(command: Command, device: string): Promise<number> {
  const settings = await settingsOf(command, TWIN_GET_OPTIONS);
  const at = textSetting(settings, 'at');
  if (at !== undefined) return showTwinAt(settings, device, at);
  return withSource(sourceOf(settings), async (twins) => {
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
    const { override, isRepeated = false } = await twins.setDesired(deviceNamed('the device', device), property, value);
    const standing = override === undefined ? {} : { override, overrideStands: isRepeated };
    if (settings['output'] === 'json') printJson({ device, property, desired: value, ...standing });
    else {
      printLine(`${device}: ${property} is desired to be ${value}`);
      if (override !== undefined) printLine(overrideLine({ device, property, override, isRepeated }));
    }
  });
}

async function withTwins(
  command: Command,
  use: (twins: TwinSource, settings: Settings) => Promise<void>,
): Promise<number> {
  const settings = await settingsOf(command, TWIN_OPTIONS);
  return withSource(sourceOf(settings), (twins) => use(twins, settings));
}

interface Standing {
  readonly device: string;
  readonly property: string;
  readonly override: string;
  readonly isRepeated: boolean;
}

function overrideLine({ device, property, override, isRepeated }: Standing): string {
  const stands = `a local override stands at the node: ${override}`;
  return isRepeated
    ? `${stands}. That is no new word of the cloud, so it goes on standing; \`skerry twin accept ${device} ${property}\` takes it into the spec, \`skerry twin reset\` at the node ends it`
    : `${stands}. This newer word of the cloud ends it`;
}

function show(twin: ShownTwin, settings: Settings): void {
  if (settings['output'] === 'json') printJson(twin);
  else for (const line of twinLines(twin)) printLine(line);
}

function twinLines({ device, state, properties }: ShownTwin): readonly string[] {
  const rows = properties.map((each) => [each.property, wantedText(each), each.reported ?? '-']);
  const lines = tableLines([['PROPERTY', 'DESIRED', 'REPORTED'], ...rows]);
  return [`${device}  ${visible(state ?? 'state unknown')}`, ...lines];
}

function wantedText({ desired, override }: ShownProperty): string {
  if (override === undefined) return desired ?? '-';
  return desired === override
    ? `${override} (set at the node)`
    : `${override} (set at the node, over ${desired ?? 'nothing'})`;
}
